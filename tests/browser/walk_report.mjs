// The commissioning report: what the displays show is typed in before the devices, kept beside what was read, and there
// again for whoever opens the report next; somebody who may only look cannot change it. Printed, it is all there.
import { axe, check, go, logIn, main, openPage, overflow, picture } from './browser.mjs';

async function open(page) {
  await go(page, 'system/report');
  await page.waitForSelector('.report-table');
}

async function look(page, name) {
  await picture(page, name);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

/** A point that is found by what the display shows has that in the report. */
async function foundByItsDisplay(page) {
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('bus/hall');
  await page.getByRole('button', { name: /^By hand/ }).click();
  await page.getByLabel('Unit number').fill('1');
  await page.getByLabel('Table', { exact: true }).selectOption('holding');
  await page.getByLabel('First register').fill('12');
  await page.getByLabel('How many').fill('1');
  await page.getByLabel('The display shows').fill('436.4');
  await page.getByRole('button', { name: 'Read them' }).click();
  await page.getByRole('button', { name: /^Pick 12 [ui]16/ }).first().click({ timeout: 30_000 });
  await page.getByRole('textbox', { name: 'What it is' }).fill('Supply');
  await page.getByLabel('Unit', { exact: true }).fill('°C');
  await page.getByRole('button', { name: 'Keep as a point' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Chiller 2');
  await page.getByLabel('How often it is read').fill('1s');
  await page.getByRole('button', { name: 'See what changes' }).click();
  const noted = page.waitForResponse((response) => response.url().includes('/displays/') && response.request().method() === 'PUT' && response.ok(), { timeout: 60_000 });
  await page.getByRole('button', { name: 'Apply on trial' }).click();
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByText('The change is kept.').waitFor();
  await noted;
  await open(page);
  const panel = page.getByRole('region', { name: 'Chiller 2' });
  check((await panel.getByLabel('What the display shows for Supply').inputValue()) === '436.4', 'what it was found by');
  check(parseFloat(await panel.locator('td').last().textContent()) === 0, 'no difference', await panel.locator('td').allTextContents());
}

/** How often a row of the report was drawn by what is done in between. */
async function drawn(page, act) {
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await act();
  const { result } = await session.send('Profiler.takePreciseCoverage');
  const source = await page.evaluate(async () => (await fetch(document.querySelector('script[src]').src)).text());
  const at = source.indexOf('report-field'), size = ({ ranges: [{ startOffset, endOffset }] }) => endOffset - startOffset;
  const rows = result.find(({ url }) => url.endsWith('.js') && url.includes('/app-')).functions.filter(({ ranges: [{ startOffset, endOffset }] }) => startOffset <= at && at < endOffset);
  await session.detach();
  return rows.sort((a, b) => size(a) - size(b))[0].ranges[0].count;
}

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  await logIn(page);
  await foundByItsDisplay(page);
  await open(page);
  check(/^sluice-report-[a-z0-9_-]+-\d{4}-\d\d-\d\d$/.test(await page.title()), 'what it is called as a file', await page.title());
  const boiler = page.locator('.panel', { hasText: 'Kessel' });
  const point = boiler.getByLabel('What the display shows for Point 1', { exact: true });
  await point.fill('12,5');
  const all = await page.locator('.report-field').count(), own = await boiler.locator('.report-field').count();
  const rows = await drawn(page, async () => {
    await point.press('Enter');
    await boiler.locator('.report-noted').waitFor();
  });
  check(rows > 0 && rows <= own && own < all, 'what is noted of one device draws those of others', rows, own, all);
  const [read, , more] = await boiler.locator('tr', { hasText: 'Point 1' }).locator('td').allTextContents();
  check(Math.abs(parseFloat(read) - 12.5 - parseFloat(more)) < 1e-6, 'the difference', read, more);
  const text = boiler.getByLabel('What the display shows for Point 2', { exact: true });
  await text.fill('---');
  await text.blur();
  await boiler.locator('tr', { hasText: 'Point 2' }).locator('.report-noted', { hasText: 'owner' }).waitFor();
  check((await boiler.locator('tr', { hasText: 'Point 2' }).locator('td').last().textContent()) === '', 'no number, no difference');
  const spills = await page.evaluate(() => [...document.querySelectorAll('.report-table')].filter((table) => table.getBoundingClientRect().right > table.parentElement.getBoundingClientRect().right).length);
  check(spills === 0, 'a table is wider than its panel', spills);
  const parted = await page.evaluate(() => [...document.querySelectorAll('.report-table td.number')].filter((cell) => cell.offsetHeight > 32).map((cell) => cell.textContent));
  check(parted.length === 0, 'a number and its unit on two lines', parted);
  await look(page, 'report-noted');

  await page.emulateMedia({ media: 'print' });
  check(await boiler.getByText('owner,', { exact: false }).first().isVisible() && !(await page.locator('.screen-aside').isVisible()), 'what is printed');
  await picture(page, 'report-printed');
  await page.emulateMedia({ media: 'screen' });

  await page.reload();
  await boiler.locator('.report-noted').first().waitFor();
  check((await point.inputValue()) === '12,5' && (await text.inputValue()) === '---', 'it is there again');
  check((await boiler.locator('tr', { hasText: 'Point 1' }).locator('td').allTextContents())[0] === read, 'with what was read then', read);
  await text.fill('');
  await text.blur();
  await boiler.locator('.report-noted').nth(1).waitFor({ state: 'detached' });
  check(page.troubles.length === 0, page.troubles);

  const other = await openPage(browser, { width: 1440, scheme: 'dark', language: 'de-DE' });
  await logIn(other, 'viewer');
  await go(other, 'system');
  await other.getByRole('link', { name: 'Protokoll öffnen' }).click();
  await other.waitForSelector('.report-table');
  await other.locator('.report-noted', { hasText: 'owner' }).first().waitFor();
  check((await other.locator('.report-field').count()) === 0, 'a viewer changes nothing');
  await other.getByText('Differenz').first().waitFor();
  await look(other, 'report-viewer-de');
  const ink = () => other.evaluate(() => getComputedStyle(document.querySelector('h1')).color), dark = await ink();
  await other.emulateMedia({ media: 'print' });
  check(await ink() === 'rgb(26, 32, 30)' && dark !== 'rgb(26, 32, 30)', 'what is dark on the screen is dark on paper, too', await ink(), dark);
  check(await other.locator('.report .panel').evaluateAll((all) => all.every((panel) => panel.checkVisibility({ contentVisibilityAuto: true }))), 'all of it is printed');
});
