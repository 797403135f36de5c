// What was once wrong on a phone: values of a moment without their device, a table of registers wider than the page, a
// key that fits no certificate, and a backup that could not be brought back.
import { readFileSync } from 'node:fs';
import { axe, check, clipped, go, logIn, main, openPage, overflow, picture, until } from './browser.mjs';

const { SLUICE_CERT: cert, SLUICE_OTHER_KEY: otherKey, SLUICE_KEY: key, SLUICE_PFX: pfx, SLUICE_PFX_PASSPHRASE: passphrase, SLUICE_TALKER: talker } = process.env;
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

async function step(page, name) {
  await picture(page, name);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const cut = await clipped(page);
  check(cut.length === 0, name, 'cut off', cut);
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

async function pastHasNames(page) {
  await go(page, 'history');
  const heads = page.locator('.state-row.first .state-device');
  await heads.filter({ hasText: 'Kessel' }).waitFor();
  check(await page.locator('.state-row .age').first().isVisible(), 'the age is shown');
  await step(page, 'history-phone');
}

/** Whoever goes through a long list begins each device at its top, and goes on in the list where he was. */
async function listKeepsItsPlace(page) {
  const depth = () => page.evaluate(() => Math.round(scrollY));
  await go(page, 'devices');
  const link = page.getByRole('link', { name: 'Not there', exact: true });
  await link.scrollIntoViewIfNeeded();
  const before = await depth();
  check(before > 200, 'the list is longer than the window', before);
  await link.click();
  await page.getByRole('heading', { name: 'Not there', level: 1 }).waitFor();
  check((await depth()) === 0, 'the begin of the device', await depth());
  await page.goBack();
  await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
  check((await depth()) === before, 'where one was in the list', await depth(), before);
  await page.goForward();
  await page.getByRole('heading', { name: 'Not there', level: 1 }).waitFor();
  check((await depth()) === 0, 'and forward', await depth());
  // The sheet goes, also where one is already there.
  await go(page, 'system');
  await page.getByRole('button', { name: 'More' }).click();
  await page.locator('.more-sheet').getByRole('link', { name: 'System' }).click();
  await page.locator('.more-sheet').waitFor({ state: 'detached' });
}

async function registersStayWithin(page) {
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('bus/rs485-1');
  await page.getByText('The gateway reads devices on this line.').waitFor();
  await page.getByRole('button', { name: /^By hand/ }).click();
  await page.getByLabel('Unit number').fill('2');
  await page.getByLabel('First register').fill('7');
  check(await page.getByRole('button', { name: 'Read them' }).isDisabled(), 'it is not asked for');
  await page.getByLabel('First register').fill('40011');
  await page.getByLabel('How many').fill('4');
  await press(page, 'Read them');
  await page.locator('.meanings tbody th', { hasText: '40011' }).first().waitFor({ timeout: 30_000 });
  await step(page, 'explorer-phone');
  const blank = await page.evaluate(() => document.documentElement.scrollHeight - document.querySelector('main').getBoundingClientRect().bottom - window.scrollY);
  check(blank < 200, 'nothing but blank below', blank);
}

async function scanKnowsItsOwn(page) {
  await page.getByRole('button', { name: /^Look for it/ }).click();
  await page.getByText('2 devices answer.').waitFor({ timeout: 60_000 });
  await page.locator('.scan li', { hasText: 'Kessel' }).getByText('is configured already').waitFor();
  check(await page.getByRole('button', { name: /^Take Unit/ }).count() === 0, 'nothing to take');
  await step(page, 'scan-phone');
}

/** Another model than its profile: that is told, and nothing is offered that rests on it. */
async function anotherModelIsDoubted(page) {
  await go(page, 'devices');
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('bus/rs485-1');
  await page.getByRole('button', { name: /^From the library/ }).click();
  await page.getByLabel('Maker or model').fill('eastron sdm120');
  await page.getByRole('button', { name: 'Choose Eastron SDM120', exact: true }).click();
  await page.getByLabel('Unit number').fill('2');
  await press(page, 'Read once');
  await page.getByText('Hardly anything fits').waitFor({ timeout: 30_000 });
  check(await page.locator('.probed').getByText('Reactive energy export').isVisible(), 'points have their names');
  check((await page.getByLabel(/^Leave out/).count()) === 0, 'no points are left out of a profile that is not its own');
  await step(page, 'doubted');
}

/** A sensor that speaks by itself, on a port that is in no list. */
async function talkerIsAdded(page) {
  await go(page, 'devices');
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('typed');
  await page.getByLabel('Path of the port').fill(talker);
  await page.getByLabel('What is spoken there').selectOption('serial');
  await page.getByLabel('Id of the new line').fill('mast');
  check(await page.getByRole('button', { name: /^Look for it/ }).count() === 0, 'nobody is asked there');
  await page.getByLabel('Maker or model').fill('nmea gnss');
  await page.getByRole('button', { name: /^Choose NMEA 0183 GNSS/ }).click();
  check(await page.getByLabel('Line settings').inputValue() === '4800 8N1', 'the line of such a receiver');
  await page.getByLabel('Name', { exact: true }).fill('Position');
  await step(page, 'talker');
  await press(page, 'See what changes');
  await press(page, 'Apply on trial');
  await page.getByRole('link', { name: 'See its values' }).click();
  await page.locator('.device-point .value-number', { hasText: /\d/ }).first().waitFor({ timeout: 20_000 });
  const replies = page.locator('.facts > div', { hasText: 'Request to reply' });
  check((await replies.innerText()).endsWith('—'), 'nobody asks it, and no time is told', await replies.innerText());
  await step(page, 'talker-values');
  await press(page, 'Keep');
  await page.getByText('The change is kept.').waitFor();
}

async function keyHasToFit(page) {
  await go(page, 'uplinks/+');
  await page.getByLabel('Address').fill('mqtts://127.0.0.1:9');
  const review = page.getByRole('button', { name: 'See what changes', exact: true });
  const authority = page.getByLabel('Certificate of the authority (CA)');
  await authority.setInputFiles({ name: 'ca.pem', mimeType: 'text/plain', buffer: Buffer.from('nothing of the kind') });
  await page.locator('.drop [role=alert]').waitFor();
  check(await review.isDisabled(), 'what was dropped in vain is not left out in silence');
  await page.getByRole('button', { name: /^Remove Certificate of the authority/ }).click();
  check(await review.isEnabled() && await authority.inputValue() === '', 'it goes without it when somebody says so');
  await authority.setInputFiles(key);
  await page.getByRole('alert').filter({ hasText: /private key/ }).getByText('It belongs in the field “Its private key”.').waitFor();
  await page.getByRole('button', { name: /^Remove Certificate of the authority/ }).click();
  await page.getByLabel('Certificate of this gateway').setInputFiles(cert);
  await page.locator('.drop .notice-down', { hasText: 'is missing' }).waitFor();
  await page.getByLabel('Its private key').setInputFiles(otherKey);
  await page.locator('.drop .notice-down', { hasText: 'does not belong to the certificate' }).waitFor();
  check(await review.isDisabled(), 'a key that does not fit leads no further');
  await step(page, 'key-wrong');
  await page.getByLabel('Its private key').setInputFiles(key);
  await page.locator('.drop .notice-up', { hasText: 'It belongs to the certificate.' }).waitFor();
  check(await review.isEnabled(), 'the right one does');
  await review.click();
  await press(page, 'Apply on trial');
  await page.locator('.notice-down .notice-next', { hasText: 'Go back at the top of the page' }).waitFor({ timeout: 20_000 });
  check(await page.locator('.notice', { hasText: 'mosquitto_sub' }).count() === 0, 'a broker that fails is not to be listened to');
  await step(page, 'broker-fails');
  await press(page, 'Go back');
  await page.getByText('The change went back.').waitFor();
  // Nothing of a broker that did not come to be is left once one goes elsewhere.
  await go(page, 'uplinks');
  await until(page, async () => !(await (await fetch('/api/v1/files')).json()).files.some(({ name }) => name.startsWith('cloud-2')));
}

/** One file with both, behind a passphrase, as many a broker's operator gives it out. */
async function pfxIsTakenApart(page) {
  await go(page, 'uplinks/+');
  await page.getByLabel('Address').fill('mqtts://127.0.0.1:9');
  await page.getByLabel('Certificate of this gateway').setInputFiles(pfx);
  await page.getByLabel('Its passphrase').fill('another one');
  await press(page, 'Open it');
  await page.getByRole('alert').filter({ hasText: 'its passphrase is missing or another one' }).waitFor();
  await step(page, 'pfx-locked');
  await page.getByLabel('Its passphrase').fill(passphrase);
  await press(page, 'Open it');
  await page.locator('.drop .notice-up', { hasText: 'It belongs to the certificate.' }).waitFor();
  check(await page.getByRole('button', { name: 'See what changes', exact: true }).isEnabled(), 'both are there');
  await step(page, 'pfx-opened');
}

const files = (page) => page.evaluate(async () => (await (await fetch('/api/v1/files')).json()).files.map(({ name }) => name).filter((name) => name.startsWith('cloud-2')).sort());

/** What the page asks to have removed when somebody begins to add a broker. */
async function takenBack(page) {
  const asked = [];
  page.on('request', (request) => request.method() === 'DELETE' && asked.push(request.url()));
  await go(page, 'uplinks/+');
  await page.waitForFunction(() => [...document.querySelectorAll('input')].some(({ value }) => value === 'cloud-2'));
  return asked;
}

/** What a page that is loaded anew has brought is gone when the next broker is added; what is made then stays. */
async function nothingIsLeftBehind(page) {
  check((await files(page)).join() === 'cloud-2.key,cloud-2.pem', 'what was brought', await files(page));
  // Another tab has nothing to do with it.
  const other = await page.context().newPage();
  check((await takenBack(other)).length === 0, 'what is about to be used in another tab');
  await other.close();
  await page.reload();
  await page.waitForSelector('h1');
  await until(page, async () => !(await (await fetch('/api/v1/files')).json()).files.some(({ name }) => name.startsWith('cloud-2')));
}

/** A key that never leaves the gateway: the request for its certificate does. */
async function keyIsMadeHere(page) {
  await page.getByLabel('Address').fill('mqtts://127.0.0.1:9');
  await page.getByText('Make the key here instead').click();
  await page.getByLabel('Subject').fill('CN=plant7,O=Acme');
  await press(page, 'Make key and request');
  await page.getByText('BEGIN CERTIFICATE REQUEST').waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Save the request' }).click()]);
  check(readFileSync(await download.path(), 'utf8').startsWith('-----BEGIN CERTIFICATE REQUEST-----'), 'the request is a file');
  await step(page, 'request');
  await go(page, 'uplinks');
  check((await takenBack(page)).length === 0, 'the key stays for the certificate that comes later');
  check((await files(page)).includes('cloud-2.key'), 'the key is there', await files(page));
}

async function backupComesBack(page) {
  await go(page, 'system');
  const passphrase = page.getByLabel('Passphrase');
  await passphrase.fill('drei Wörter für 5 € ');
  const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Save a backup')]);
  check(/^sluice-backup-[a-z0-9-]+-\d{4}-\d\d-\d\d\.json$/.test(download.suggestedFilename()), 'whose and of when', download.suggestedFilename());
  const file = { name: 'backup.json', mimeType: 'application/json', buffer: readFileSync(await download.path()) };
  const restore = page.getByLabel('Restore one');
  await passphrase.fill('three other words');
  await restore.setInputFiles(file);
  await page.getByRole('alert').filter({ hasText: /passphrase/i }).waitFor();
  await step(page, 'restore-refused');
  await passphrase.fill('drei Wörter für 5 € ');
  let arrive;
  const held = new Promise((resolve) => (arrive = resolve));
  await page.route('**/api/v1/restore', async (route) => {
    await held;
    await route.continue();
  }, { times: 1 });
  await restore.setInputFiles(file);
  await page.getByText('It is being checked.').waitFor();
  arrive();
  await page.getByText(/^It is restored/).waitFor();
  await picture(page, 'restored');
}

/** Of a template with several mistakes all are told, each with the line where it is. */
async function templateTellsItsMistakes(page) {
  await go(page, 'system');
  const text = '{"version": 1, "gateway": {"id": "template"},\n"buses": [{"id": "a", "driver": "modbus-rtu", "prt": "x"}],\n"uplinks": [{"id": "up", "url": "http://x"}]}';
  await page.getByLabel('Restore one').setInputFiles({ name: 'template.json', mimeType: 'application/json', buffer: Buffer.from(text) });
  for (const line of ['in line 2', 'in line 3']) await page.getByRole('alert').getByText(line).first().waitFor();
  check((await page.getByRole('alert').locator('.notice').count()) === 2, 'each by itself', await page.getByRole('alert').innerText());
  await step(page, 'template-refused');
}

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  await logIn(page);
  for (const part of [pastHasNames, listKeepsItsPlace, registersStayWithin, scanKnowsItsOwn, anotherModelIsDoubted, talkerIsAdded, keyHasToFit, pfxIsTakenApart, nothingIsLeftBehind, keyIsMadeHere, templateTellsItsMistakes, backupComesBack]) await part(page);
  check(page.troubles.length === 0, page.troubles);
});
