// Everything that is configured can be changed and removed again: a device and its points, a line with the devices on
// it, a broker. Each change is shown, tried, and kept; what was not touched in the file stays as it was.
import { axe, check, go, logIn, main, openPage, overflow, picture } from './browser.mjs';

const press = (place, name) => place.getByRole('button', { name, exact: true }).click();

async function step(page, name) {
  await picture(page, `settings-${name}`);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

/** What the dialog shows is applied and kept; returns its lines. */
async function applied(page, name) {
  const dialog = page.getByRole('dialog');
  await dialog.getByText('goes back by itself').waitFor();
  const difference = await dialog.locator('.difference').innerText();
  await step(page, name);
  await press(dialog, 'Apply on trial');
  await dialog.waitFor({ state: 'detached' });
  await press(page.locator('.change-bar'), 'Keep');
  await page.getByText('The change is kept.').waitFor();
  return difference;
}

async function changesADevice(page) {
  await go(page, 'devices/boiler');
  await page.getByRole('link', { name: 'Settings', exact: true }).click();
  await page.getByLabel('Name', { exact: true }).fill('Kessel 2');
  await page.getByLabel('Interval').fill('2s');
  await page.getByLabel('Another setting').selectOption('report.dead_band');
  await page.getByLabel('Dead band').fill('0.5');
  await step(page, 'device');
  await press(page, 'See what changes');
  const difference = await applied(page, 'device-changed');
  for (const word of ['Kessel 2', '2s', 'dead_band']) check(difference.includes(word), word, difference);
  await page.locator('h1', { hasText: 'Kessel 2' }).waitFor();
}

async function changesAPoint(page) {
  await go(page, 'devices/boiler/settings');
  const point = page.locator('.entries li', { hasText: 'Point 1' });
  await point.getByRole('button', { name: /^Change/ }).click();
  const dialog = page.getByRole('dialog');
  check((await dialog.getByLabel('Register').inputValue()) === '11', 'its register');
  await dialog.getByLabel('Unit', { exact: true }).fill('K');
  await step(page, 'point');
  await press(dialog, 'See what changes');
  check((await applied(page, 'point-changed')).includes('unit'), 'the unit is told');
  await page.locator('.entries li', { hasText: 'Point 0' }).getByRole('button', { name: /^Remove/ }).click();
  await applied(page, 'point-removed');
  await page.locator('.entries li', { hasText: 'Point 0' }).waitFor({ state: 'detached' });
  await press(page, 'Add a point');
  await dialog.getByLabel('Id', { exact: true }).fill('extra');
  await dialog.getByLabel('Register').fill('14');
  await dialog.getByLabel('Type').selectOption('i16');
  await press(dialog, 'See what changes');
  await applied(page, 'point-added');
  await page.locator('.entries li', { hasText: 'extra' }).waitFor();
}

async function renamesALine(page) {
  await go(page, 'buses/hall/settings');
  await page.getByLabel('Id', { exact: true }).fill('hall-2');
  await page.getByText('Its devices are moved').waitFor();
  await press(page, 'See what changes');
  check((await applied(page, 'line-renamed')).includes('hall-2'), 'the new id is told');
  await page.locator('h1', { hasText: 'hall-2' }).waitFor();
  await page.getByRole('link', { name: 'chiller' }).first().waitFor();
}

/** The list ends with the 256th file; that there are more is told, where one is chosen and where a key is made. */
async function tellsOfFilesThatAreNotListed(page) {
  const other = await openPage(page.context().browser(), { width: 360 });
  await logIn(other);
  await go(other, 'uplinks/cloud/settings');
  await other.getByLabel('Messages').waitFor();
  check((await other.getByText('not listed').count()) === 0, 'all are listed');
  await other.route('**/api/v1/files', async (route) => route.fulfill({ json: { ...(await (await route.fetch()).json()), more: 3 } }));
  await go(other, 'uplinks/+');
  await other.getByLabel('Address').fill('mqtts://127.0.0.1:9');
  await other.getByText('Make the key here instead').click();
  await other.getByText('3 more files are not listed').waitFor();
  await go(other, 'uplinks/cloud/settings');
  await other.getByText('3 more files are not listed').first().waitFor();
  await step(other, 'unlisted');
  await other.context().close();
}

async function changesABroker(page) {
  await go(page, 'uplinks/cloud/settings');
  await page.getByLabel('Messages').selectOption('values');
  await page.getByLabel('User').fill('plant7');
  await page.getByLabel('New password').fill('three plain words');
  await press(page, 'Use this password');
  await page.waitForFunction(() => [...document.querySelectorAll('select')].some((choice) => choice.value === 'cloud.password'));
  await step(page, 'broker');
  await tellsOfFilesThatAreNotListed(page);
  await press(page, 'See what changes');
  check((await applied(page, 'broker-changed')).includes('cloud.password'), 'the password is a file');
  await page.getByText('sluice/plant7/v/#', { exact: false }).waitFor();
}

/** One that is reached by a proxy only, which wants a login: what is secret is no part of the configuration. */
async function addsABrokerBehindAProxy(page) {
  await go(page, 'uplinks/+');
  await page.getByLabel('Address').fill('mqtt://127.0.0.1:9');
  // Letter by letter, while the page is drawn anew.
  const id = page.getByLabel('Id', { exact: true });
  await id.fill('behind-');
  await page.getByLabel('User').fill('somebody');
  await page.getByLabel('User').fill('');
  check((await id.inputValue()) === 'behind-', 'what is half typed stays', await id.inputValue());
  await id.fill('behind');
  check((await page.getByLabel(/^Login at the proxy/).count()) === 0, 'no login without a proxy');
  await page.getByLabel('Proxy', { exact: true }).fill('http://127.0.0.1:3128');
  await page.getByLabel(/^Login at the proxy/).fill('plant7:three plain words');
  await step(page, 'broker-proxy');
  await press(page, 'See what changes');
  const difference = await applied(page, 'broker-behind-proxy');
  check(difference.includes('http://127.0.0.1:3128') && difference.includes('behind-proxy.password'), 'proxy and file are told', difference);
  check(!difference.includes('three plain words'), 'the login is not', difference);
}

/** What is half typed is an address of no broker yet, and breaks nothing. */
async function typesAnAddressOfIpv6(page) {
  await go(page, 'uplinks/+');
  const address = page.getByLabel('Address'), command = page.locator('.command');
  await address.fill('mqtts://');
  for (const letter of '[fd00::1]:8883') {
    await address.press(letter);
    check(await page.locator('h1').innerText() === 'Add a broker', 'after', letter, await page.locator('main').innerText());
  }
  await command.getByText('-h fd00::1 -p 8883 ').waitFor();
  for (const wrong of ['mqtts://10.0.0.1:99999', 'mqtts://[', 'mqtts://me@10.0.0.1']) {
    await address.fill(wrong);
    await page.getByText('of IPv6 in brackets').waitFor();
    check(await command.count() === 0 && await page.getByRole('button', { name: 'See what changes', exact: true }).isDisabled(), wrong);
  }
  await address.fill('mqtts://10.0.0.256');
  await command.getByText('-h 10.0.0.256 -p 8883 ').waitFor();
  const copy = page.getByRole('button', { name: 'Copy' });
  await page.evaluate(() => (navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError'))));
  await copy.click();
  await page.waitForFunction((line) => String(getSelection()) === line, await command.innerText());
  await page.evaluate(() => (navigator.clipboard.writeText = () => Promise.resolve()));
  await copy.click();
  check(await page.getByText('It is copied.').isVisible() && (await page.getByText('It is copied.').boundingBox()).width > 20, 'it is told, and to be seen');
  check(page.troubles.length === 0, page.troubles);
}

/** A screen that fails is told in its place, and what is around it goes on. */
async function outlivesAScreenThatFails(page) {
  await go(page, 'devices');
  await page.route('**/api/v1/config/history', (route) => route.fulfill({ json: { changes: 7 } }));
  await go(page, 'system');
  await page.getByRole('heading', { name: 'This could not be drawn.' }).waitFor();
  check(await page.locator('main .screen').count() === 1 && await page.locator('main .panel').count() === 0, 'nothing of it is left', await page.locator('main').innerText());
  await step(page, 'not-drawn');
  await page.locator('.rail-link', { hasText: 'Devices' }).click();
  await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
  check(await page.locator('main .screen').count() === 1, 'one screen at a time', await page.locator('main').innerText());
  await page.unroute('**/api/v1/config/history');
  await go(page, 'system');
  await page.getByRole('heading', { name: 'Changes' }).waitFor();
  check(page.troubles.length === 1, 'told in the console, once', page.troubles);
  page.troubles.length = 0;
}

/** Registers that were found by hand become a profile, and the device is one of that model. */
async function savesAProfile(page) {
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('bus/hall-2');
  await page.getByRole('button', { name: /^From a table/ }).click();
  await page.getByLabel('Table', { exact: true }).fill('id;name;reg;type;unit;scale\nflow;Flow;12;i16;m3/h;0.1');
  await press(page, 'Take 1 point');
  await page.getByText('Save these points as a profile').click();
  await page.getByLabel('Vendor').fill('Acme');
  await page.getByLabel('Model').fill('X 1');
  await step(page, 'profile');
  await press(page, 'Save the profile');
  await press(page, 'Read once');
  await page.getByText('Compare one of them').waitFor({ timeout: 30_000 });
  await page.getByLabel('Unit number').first().fill('3');
  await page.getByLabel('Name', { exact: true }).fill('Second flow');
  await page.getByLabel('How often it is read').fill('30s');
  await press(page, 'See what changes');
  check((await applied(page, 'profile-used')).includes('acme-x-1'), 'the device has the profile');
  await page.getByRole('button', { name: 'Add another like this' }).click();
  // The configuration is asked anew for it.
  await page.waitForFunction(() => [...document.querySelectorAll('.test-row input')].some((input) => input.value === '4'));
  check((await page.getByLabel('How often it is read').inputValue()) === '30s', 'the same interval');
}

async function removes(page, place, gone) {
  await go(page, `${place}/settings`);
  await press(page, 'Remove');
  await applied(page, `removed-${place.replace('/', '-')}`);
  await page.getByText(gone, { exact: true }).first().waitFor({ state: 'detached' });
}

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  await logIn(page);
  for (const part of [changesADevice, changesAPoint, renamesALine, savesAProfile, typesAnAddressOfIpv6, outlivesAScreenThatFails, changesABroker, addsABrokerBehindAProxy]) await part(page);
  await removes(page, 'devices/ghost', 'Not there');
  await removes(page, 'uplinks/away', 'away');
  await go(page, 'buses/hall-2/settings');
  await page.getByText('2 devices on it go with it.').waitFor();
  await removes(page, 'buses/hall-2', 'hall-2');
  check(page.troubles.length === 0, page.troubles);
});
