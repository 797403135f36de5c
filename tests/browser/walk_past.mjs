// What was: any moment by its slider, what happened as a table for other programs, a point's course; and an outage that
// is tried on purpose, which goes on while one looks at all that.
import { readFileSync } from 'node:fs';
import { address, axe, check, go, logIn, main, openPage, overflow, picture, please } from './browser.mjs';

const DRILL_MS = 100_000;

async function step(page, name) {
  await picture(page, `past-${name}`);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

async function drillBegins(page) {
  await go(page, 'uplinks/cloud');
  await page.getByLabel('For how long').selectOption('1');
  await page.getByRole('button', { name: 'Cut it off' }).click();
  await page.getByText('cut off', { exact: true }).waitFor();
  await step(page, 'drill');
}

/** By the thumb of the slider, a step of an hour, and an exact time; each is told, and values have their age at it. */
async function anyMoment(page) {
  await go(page, 'history');
  await page.locator('.state-row').first().waitFor();
  const slider = page.getByRole('slider'), oldest = Number(await slider.getAttribute('min')), newest = Number(await slider.getAttribute('max'));
  check(newest > oldest, 'a journal with a past', oldest, newest);
  await slider.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft');
  await page.waitForFunction(() => new URLSearchParams(location.hash.split('?')[1]).has('at'));
  const told = await slider.getAttribute('aria-valuetext');
  check(told === (await page.locator('.moment h2').innerText()), 'the moment is the heading', told);
  await page.getByRole('button', { name: '−1' }).first().click();
  check((await page.evaluate(() => Number(new URLSearchParams(location.hash.split('?')[1]).get('at')))) === oldest, 'no further back than the journal goes');
  await page.getByText('Nothing had been read by then.').or(page.locator('.state-row').first()).first().waitFor();
  await step(page, 'oldest');
  await page.getByRole('button', { name: 'Newest' }).click();
  await page.locator('.state-row', { hasText: 'Point 1' }).first().waitFor();
  // What is no moment, or no encoding, stands in an address all the same.
  await go(page, 'history?at=1e99');
  await page.locator('.state-row', { hasText: 'Point 1' }).first().waitFor();
  for (const anew of [false, true]) {
    await page.goto(`${address}/#/%`);
    if (anew) await page.reload();
    await page.getByText('There is no such screen.').waitFor();
  }
}

/** What is chosen is what is shown, and what is saved. */
async function asTable(page) {
  await go(page, 'history/events');
  await page.getByLabel('Device').selectOption('boiler');
  await page.waitForFunction(() => location.hash.includes('device=boiler'));
  await page.getByLabel('Kind').selectOption('reading');
  await page.locator('.event-lines li').first().waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: /CSV/ }).click()]);
  const [head, ...rows] = readFileSync(await download.path(), 'utf8').trim().split(/\r?\n/);
  const device = head.split(',').indexOf('device');
  check(device >= 0 && rows.length > 5, 'a table', head, rows.length);
  check(rows.every((row) => row.split(',')[device] === 'boiler'), 'of the device that was chosen', rows.slice(0, 3));
}

/** What the chart draws is loaded when it is wanted; where one points, its values are told. */
async function course(page) {
  await go(page, 'devices/incomer');
  await page.getByRole('button', { name: 'Point 1', exact: true }).click();
  await page.locator('.chart canvas').waitFor();
  await page.locator('.chart figcaption', { hasText: /mean \d/ }).waitFor();
  const over = page.locator('.chart .u-over'), box = await over.boundingBox();
  const inked = await page.locator('.chart canvas').evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let points = 0;
    for (let i = 3; i < data.length; i += 4) points += data[i] > 0;
    return points;
  });
  check(inked > 500, 'nothing is drawn', inked);
  // The journal is young: what it holds stands at the right end.
  const value = page.locator('.u-legend .u-series', { hasText: 'mean' }).filter({ hasText: /\d/ });
  for (let left = 1; left <= 100 && (await value.count()) === 0; left++) {
    const now = await over.boundingBox(); // what is above it may have come meanwhile
    await page.mouse.move(now.x + now.width - (left % 12), now.y + now.height / 2);
    await page.waitForTimeout(100);
  }
  await value.waitFor();
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.up();
  check((await page.locator('.u-select').count()) === 0, 'nothing is marked where nothing can be chosen');
  await step(page, 'course');
}

async function drillEnds(page) {
  await go(page, 'uplinks/cloud');
  await page.getByRole('button', { name: 'End it now' }).waitFor();
  await page.getByText('Nothing is missing: proven.').waitFor({ timeout: DRILL_MS });
  await page.getByText(/arrived within .* Missing: 0\. Twice, with the same key: 0\./).waitFor();
  await step(page, 'drilled');
  // What it came to is there for whoever comes back.
  await go(page, 'devices');
  await go(page, 'uplinks/cloud');
  await page.getByText('Nothing is missing: proven.').waitFor();
}

/** One that is started before the page knows of the last is the only one that is followed. */
async function drillAgain(page) {
  await go(page, 'devices');
  const followed = [];
  page.on('request', (request) => /\/jobs\/[^/]+\/lines$/.test(request.url()) && followed.push(request.url()));
  let started;
  const asked = new Promise((resolve) => (started = resolve));
  // The list comes while the start is under way, and the answer to that after it.
  await page.route('**/api/v1/jobs', async (route) => {
    if (route.request().method() === 'GET') {
      await asked;
      return route.continue();
    }
    const listed = page.waitForEvent('requestfinished', (request) => request.method() === 'GET' && request.url().endsWith('/jobs'));
    started();
    await listed;
    return route.continue();
  });
  await go(page, 'uplinks/cloud');
  await page.getByLabel('For how long').selectOption('1');
  await page.getByRole('button', { name: 'Cut it off' }).click();
  await page.getByText('cut off', { exact: true }).waitFor();
  check(followed.length === 1, 'one is followed', followed);
  await page.getByRole('button', { name: 'End it now' }).click();
  await page.getByRole('button', { name: 'Cut it off' }).waitFor();
  await page.unroute('**/api/v1/jobs');
}

/** One that another browser, or somebody at the machine, started is followed here, and ended; of another program's is told whose it is. */
async function drillOfSomebodyElse(page) {
  await go(page, 'uplinks/cloud');
  const other = await openPage(page.context().browser());
  await logIn(other);
  await go(other, 'uplinks/cloud');
  await page.getByRole('button', { name: 'Cut it off' }).waitFor();
  await other.getByLabel('For how long').selectOption('1');
  await other.getByRole('button', { name: 'Cut it off' }).click();
  await page.getByRole('button', { name: 'End it now' }).waitFor();
  await page.getByText('cut off', { exact: true }).waitFor();
  await other.getByRole('button', { name: 'End it now' }).click();
  await page.getByRole('button', { name: 'Cut it off' }).waitFor();
  await other.context().close();
  await please('drill at the machine');
  await page.getByRole('button', { name: 'End it now' }).waitFor();
  await page.getByText('cut off', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'End it now' }).click();
  await please('see that drill end');
  await page.getByRole('button', { name: 'Cut it off' }).waitFor();
  await please('take the uplink by another program');
  await page.locator('.notice', { hasText: 'that was not started on this page' }).getByText('anna').waitFor();
  check((await page.getByRole('button', { name: 'Cut it off' }).count()) === 0, 'not a second one');
  await step(page, 'drill-elsewhere');
  await please('give it back');
  await page.getByRole('button', { name: 'Cut it off' }).waitFor();
}

await main(async (browser) => {
  const page = await openPage(browser);
  page.setDefaultTimeout(45_000); // hundreds of events are a lot for a machine that is busy
  await logIn(page);
  for (const part of [drillBegins, anyMoment, asTable, course, drillEnds, drillAgain, drillOfSomebodyElse]) await part(page);
  check(page.troubles.length === 0, page.troubles);
  console.log('a moment, a table, a course, and an outage of a minute');
});
