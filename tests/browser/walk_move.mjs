// The housing is broken, and another one is there: what was saved of the old gateway makes the new one the same, with its
// name, its accounts and its way to the broker. The old one ends in between, which the walk asks for.
import { readFileSync } from 'node:fs';
import { address, axe, check, go, logIn, main, openPage, overflow, password, picture, please } from './browser.mjs';

const { SLUICE_NEW: fresh, SLUICE_CODE: code } = process.env;
const PASSPHRASE = 'three short words';
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

async function step(page, name) {
  await picture(page, `move-${name}`);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

async function saved(page) {
  await logIn(page);
  await go(page, 'system');
  await page.getByLabel('Passphrase').fill(PASSPHRASE);
  const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Save a backup')]);
  return readFileSync(await download.path());
}

/** The new one has an owner of its own first: a restore is nothing for strangers. */
async function made(page) {
  await page.goto(`${fresh}/#/?code=${code}`);
  await press(page, 'Next');
  await page.getByLabel('Password', { exact: true }).fill('quite another password');
  await press(page, 'Next');
  await page.getByLabel('Name', { exact: true }).fill('Spare');
  await press(page, 'Make it mine');
  await page.locator('.rail, .phone-head').first().waitFor();
}

async function restored(page, backup) {
  await page.goto(`${fresh}/#/system`);
  await page.getByLabel('Passphrase').fill(PASSPHRASE);
  await page.getByLabel('Restore one').setInputFiles({ name: 'backup.json', mimeType: 'application/json', buffer: backup });
  // Where its page is was in the backup, too: it answers where the old one did. And so were the accounts.
  await please('answer where the old one did');
  await page.goto(`${address}/#/`);
  const door = page.getByRole('button', { name: 'Log in', exact: true });
  await page.locator('.change-bar').or(door).first().waitFor();
  if (await door.count()) {
    await page.getByLabel(/^Name/).fill('owner');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.keyboard.press('Enter');
  }
  await page.locator('.change-bar').waitFor();
  await step(page, 'restored');
  await press(page.locator('.change-bar'), 'Keep');
  await page.getByText('The change is kept.').waitFor();
  await please('see the old id with a new epoch');
  await page.locator('.phone-head', { hasText: 'Plant 7' }).waitFor();
}

await main(async (browser) => {
  const old = await openPage(browser, { width: 360 });
  const backup = await saved(old);
  check(!backup.includes(password) && !backup.includes('PRIVATE'), 'a secret stands in it');
  await old.context().close();
  await please('end the old one');
  const page = await openPage(browser, { width: 360 });
  await made(page);
  await restored(page, backup);
  check(address !== fresh, 'two gateways', address);
  check(page.troubles.length === 0, page.troubles);
  console.log('the same gateway on other hardware');
});
