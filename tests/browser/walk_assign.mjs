// A meter comes out of its box as unit 1: it gets another number from the page, by its own register. At first it is locked
// and says no, which is told with what to do; then it takes the number, answers there, and is added with it.
import { axe, check, go, logIn, main, openPage, overflow, picture, please } from './browser.mjs';

const { SLUICE_METER: meter } = process.env;


async function step(page, name) {
  await picture(page, `assign-${name}`);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

async function give(page) {
  await page.getByRole('button', { name: /^Give it this number/ }).click();
  await page.locator('.sure .danger').click();
}

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  await logIn(page);
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('typed');
  await page.getByLabel('Path of the port').fill(meter);
  await page.getByLabel('Line settings').selectOption('2400 8N1');
  await page.getByLabel('Id of the new line').fill('meters');
  await page.getByRole('button', { name: /^From the library/ }).click();
  await page.getByLabel('Maker or model').fill('sdm120');
  await page.getByRole('button', { name: /^Choose Eastron/ }).first().click();
  await page.getByText('Give it another unit number').click();
  await page.getByText('hold the button of the meter for 3 s', { exact: false }).waitFor();
  await page.getByLabel('New unit number').fill('7');
  await give(page);
  await page.locator('[role=alert]').getByText('refuses to have register', { exact: false }).first().waitFor({ timeout: 60_000 });
  check((await page.getByLabel('Unit number', { exact: true }).inputValue()) === '1', 'it is still unit 1');
  await step(page, 'locked');
  await please('unlock the meter');
  await give(page);
  await page.getByText('It is unit 7 now, and answers there.').waitFor({ timeout: 60_000 });
  check((await page.getByLabel('Unit number', { exact: true }).inputValue()) === '7', 'the device is unit 7 from here on');
  await step(page, 'done');
  await page.getByLabel('Name', { exact: true }).fill('Meter');
  await page.getByRole('button', { name: 'See what changes', exact: true }).click();
  await page.getByRole('button', { name: 'Apply on trial', exact: true }).click();
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByText('The change is kept.').waitFor();
  check(page.troubles.length === 0, page.troubles);
  console.log('locked, then unit 7');
});
