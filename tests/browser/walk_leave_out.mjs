// A device that has not all of its profile: what is missing is told by a test read and left out, unless somebody wants it.
import { axe, check, go, logIn, main, openPage, overflow, picture } from './browser.mjs';

const { SLUICE_HALL: hall } = process.env;
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

async function step(page, name) {
  await picture(page, name);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

async function read(page) {
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('network');
  await page.getByLabel('Address').fill(hall);
  await page.getByRole('button', { name: /^From the library/ }).click();
  await page.getByLabel('Maker or model').fill('acme');
  await page.getByRole('button', { name: 'Choose Acme X1', exact: true }).click();
  await press(page, 'Read once');
  await page.getByLabel('Leave out 2 points that it does not have').waitFor({ timeout: 30_000 });
}

/** What would become different. */
async function change(page) {
  await press(page, 'See what changes');
  await page.locator('.difference li').first().waitFor();
  return page.locator('.difference').innerText();
}

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  await logIn(page);
  await read(page);
  const leave = page.getByLabel('Leave out 2 points that it does not have');
  check(await leave.isChecked(), 'what would be bad for ever is left out');
  check((await page.locator('.probed li', { hasText: 'the device has not' }).count()) === 2, 'which they are', await page.locator('.probed').innerText());
  await step(page, 'leave-out');
  await page.getByLabel('Name', { exact: true }).fill('Chiller');
  await leave.uncheck();
  const whole = await change(page);
  check(!/\bonly\b/.test(whole), 'all are wanted', whole);
  await press(page, 'Cancel');
  await leave.check();
  const without = await change(page);
  check(/\bonly \(3 entries\)/.test(without), 'what is there is read', without);
  await press(page, 'Apply on trial');
  await page.getByRole('link', { name: 'See its values' }).click();
  await page.locator('.device-point .value-number', { hasText: /\d/ }).first().waitFor({ timeout: 20_000 });
  check((await page.locator('.device-point').count()) === 3, 'its values', await page.locator('.device-point').allInnerTexts());
  await press(page, 'Keep');
  await page.getByText('The change is kept.').waitFor();
  await go(page, 'devices');
  await page.locator('.device-row', { hasText: 'Chiller' }).waitFor();
  check((await page.locator('.device-row').getByText('not good').count()) === 0, 'nothing is bad');
  check(page.troubles.length === 0, page.troubles);
});
