// A second gateway like the first one: its template brings what is the same on both, and asks for what each has of its own,
// under whatever name.
import { readFileSync } from 'node:fs';
import { axe, check, go, logIn, main, openPage, overflow, picture, please, until } from './browser.mjs';

const { SLUICE_TEMPLATE: template, SLUICE_CERT: cert, SLUICE_KEY: key, SLUICE_SECRET: secret } = process.env;
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

async function step(page, name) {
  await picture(page, `template-${name}`);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

async function begin(page) {
  await go(page, 'system');
  await page.getByLabel('Restore one').setInputFiles(template);
  await page.getByText('It names files that are not here.').waitFor();
}

/** What was given to a restore that did not come to be goes. */
async function changesItsMind(page) {
  await begin(page);
  await page.getByLabel('gw-key.pem').setInputFiles(key);
  await page.getByText('gw-key.pem is here.').waitFor();
  await go(page, 'devices');
  await until(page, async () => !(await (await fetch('/api/v1/files')).json()).files.length);
}

async function asksForTheRest(page) {
  await begin(page);
  const again = page.getByRole('button', { name: 'Restore with them', exact: true });
  check(await again.isDisabled(), 'nothing is given yet');
  await step(page, 'needs');
  await page.getByLabel('gw.pem').setInputFiles(cert);
  await page.getByLabel('gw-key.pem').setInputFiles(key);
  await page.getByText('gw-key.pem is here.').waitFor();
  check(await again.isDisabled(), 'the password is missing');
  await page.getByLabel('cloud.txt').fill(secret);
  await again.click();
  await page.getByText('It is restored, on trial.').waitFor();
  check((await page.getByText('It names files that are not here.').count()) === 0, 'it has them');
  await step(page, 'restored');
  await press(page.locator('.change-bar'), 'Keep');
  await page.getByText('The change is kept.').waitFor();
  await please('see it publish');
}

/** What it would give to the next one. */
async function savesItsOwn(page) {
  const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Save a template')]);
  const saved = JSON.parse(readFileSync(await download.path(), 'utf8'));
  check(saved.kind === 'sluice-template' && saved.files.length === 1 && saved.profiles.length === 1, 'what it holds', saved);
  await page.getByText('Not in it: ').filter({ hasText: 'gw-key.pem' }).waitFor();
  await step(page, 'saved');
}

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  await logIn(page);
  await changesItsMind(page);
  await asksForTheRest(page);
  await savesItsOwn(page);
  check(page.troubles.length === 0, page.troubles);
  console.log('another gateway like the first');
});
