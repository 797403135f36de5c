// The whole way of whoever puts a gateway up, on a phone: from the setup code to a value that somebody else has received,
// an outage of the broker and what the page says of it, and changes that are kept, go back, and can be read about later.
// What is done outside the page (the broker ends, a value arrives) the walk asks for: "please WORDS", answered by "done".
import { address, axe, check, go, main, openPage, overflow, password, picture, please } from './browser.mjs';
import { stopwatch } from './stopwatch.mjs';

/** With a person's pauses: only the way to data in the cloud, which is what is timed. */
const paced = !!process.env.SLUICE_PACED;
const { SLUICE_CODE: code, SLUICE_BROKER: broker, SLUICE_HALL: hall, SLUICE_CA: ca, SLUICE_CERT: cert, SLUICE_KEY: key, SLUICE_LINE: line = 'rs485-1' } = process.env;
const TRIAL_S = 10;
/** From the box to data in the cloud. */
const MINUTES_MAX = 10;

let pictures = 0;
let watch;

/** A picture of where the walk is; nothing may be too wide or out of reach for somebody there. */
async function step(page, name) {
  pictures++;
  await watch.reads();
  await picture(page, `whole-${String(pictures).padStart(2, '0')}-${name}`);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(!wrong.length, name, wrong);
  check(!page.troubles.length, name, page.troubles);
}

const button = (page, name) => page.getByRole('button', { name, exact: true });
const press = (page, name) => button(page, name).click();

/** In the dialog that shows what changes: on trial with it. */
async function applied(page, name) {
  await page.getByRole('dialog').getByText('goes back by itself').waitFor();
  await step(page, `${name}-shown`);
  await press(page.getByRole('dialog'), 'Apply on trial');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.locator('.change-bar').waitFor();
  await step(page, `${name}-on-trial`);
}

async function kept(page) {
  await press(page.locator('.change-bar'), 'Keep');
  await page.getByText('The change is kept.').waitFor();
}

async function firstRun(page) {
  await page.goto(address);
  await page.getByLabel('Setup code').fill(code);
  await step(page, 'code');
  await press(page, 'Next');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await step(page, 'owner');
  await press(page, 'Next');
  await page.getByText('Step 3 of 3').waitFor(); // The step before has a name, too: that of the owner.
  await page.getByLabel('Name', { exact: true }).fill('Boiler room');
  await step(page, 'name');
  await press(page, 'Make it mine');
  await page.waitForSelector('.journal-card');
  await please('see its new name');
  await step(page, 'overview');
}

/** Only a device that holds its number in the register of its profile is given another; that it does not is told. */
async function otherNumber(page) {
  await page.getByText('Give it another unit number').click();
  check(await page.getByLabel('New unit number').inputValue() === '3', 'the next number that is free');
  await page.getByRole('button', { name: /^Give it this number/ }).click();
  await page.getByRole('button', { name: /^Really/ }).click();
  await page.getByRole('alert').filter({ hasText: 'does not hold its unit in register' }).waitFor({ timeout: 30_000 });
  await step(page, 'other-number');
}

/** The line is scanned; what answers is taken, found in the library, read once, named, kept. */
async function addFromScan(page) {
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption({ label: await page.locator('option', { hasText: line }).innerText() });
  await page.getByRole('button', { name: 'Look for it' }).click();
  await page.getByText('2 devices answer.').waitFor({ timeout: 60_000 });
  await step(page, 'scanned');
  await page.getByRole('button', { name: 'Take Unit 2' }).click();
  await page.getByLabel('Maker or model').fill('eastron sdm120');
  await step(page, 'library');
  await page.getByRole('button', { name: 'Choose Eastron SDM120', exact: true }).click();
  await page.getByText('Chosen').waitFor();
  check(await page.getByLabel('Unit number').inputValue() === '2', 'the unit that was found is taken');
  await press(page, 'Read once');
  await page.getByText('Compare one of them').waitFor();
  check(await page.locator('.probed').getByText('Active power total', { exact: true }).count() === 1, 'points have their names');
  await step(page, 'read-once');
  await otherNumber(page);
  await page.getByLabel('Name', { exact: true }).fill('Main incomer');
  check(await page.getByLabel('Id', { exact: true }).inputValue() === 'main-incomer', 'the id follows from the name');
  await press(page, 'See what changes');
  await applied(page, 'device');
  await kept(page);
  await page.getByRole('link', { name: 'See its values' }).click();
  await page.locator('.device-point').first().waitFor();
  await please('see values of main-incomer');
  await page.locator('.device-point', { hasText: 'Frequency' }).filter({ hasNotText: 'not read yet' }).waitFor();
  await step(page, 'device-values');
}

async function addBroker(page) {
  await go(page, 'uplinks/+');
  await page.getByLabel('Address').fill(broker);
  for (const [label, file] of [['Certificate of the authority (CA)', ca], ['Certificate of this gateway', cert], ['Its private key', key]])
    await page.getByLabel(label).setInputFiles(file);
  await page.waitForFunction(() => document.querySelectorAll('.drop .notice').length === 3);
  await step(page, 'broker-files');
  await press(page, 'See what changes');
  await applied(page, 'broker');
  await kept(page);
  await please('see a value of main-incomer arrive');
  await page.getByRole('link', { name: /cloud/ }).click();
  await page.getByRole('heading', { name: 'The way to it' }).waitFor();
  await page.getByText('connected', { exact: true }).first().waitFor();
  await step(page, 'broker-connected');
}

/** While the broker is away the page says which step to it fails and what to do; after it came back, that all is well. */
async function examine(page) {
  await please('stop the broker');
  await page.locator('.notice-down, .notice-look').first().waitFor();
  await press(page, 'Examine');
  await page.getByText('It fails at: Connection.').waitFor({ timeout: 30_000 });
  check((await page.locator('.doctor-next').allInnerTexts()).join('').length > 20, 'what to do');
  await step(page, 'examined-away');
  await please('start the broker');
  await press(page, 'Examine');
  await page.getByText(/^It works/).waitFor({ timeout: 30_000 });
  await page.getByText('connected', { exact: true }).first().waitFor({ timeout: 60_000 });
  await step(page, 'examined-back');
}

/** One in the network, from a list of registers: its line comes with it. Somebody else keeps it meanwhile, which is told here. */
async function addFromTable(page) {
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('network');
  await page.getByLabel('Address').fill(hall);
  await page.getByRole('button', { name: /^From a table/ }).click();
  await page.getByLabel('Table', { exact: true }).fill('id;name;reg;type;unit\ncounter;Counter;0;u32;\ntemperature;Temperature;4;f32;°C');
  await press(page, 'Take 2 points');
  await page.getByLabel('Name', { exact: true }).fill('Chiller');
  await press(page, 'See what changes');
  await applied(page, 'chiller');
  await please('keep the change from elsewhere');
  await page.getByText('The change is kept.').waitFor();
  await please('see a value of chiller arrive');
  await page.getByRole('link', { name: 'See its values' }).click();
  await page.locator('.device-point', { hasText: 'Temperature' }).filter({ hasText: /2[0-2](\.\d+)?\s*°C/ }).waitFor();
  const height = await page.getByRole('button', { name: 'Temperature', exact: true }).evaluate((name) => name.offsetHeight);
  check(height <= 32, 'a usual name has room in one line', height);
  await step(page, 'chiller-values');
}

async function rename(page, name, picture) {
  await page.getByLabel('Time zone').waitFor(); // Until that form is there, the first name is a hidden one: that of a new account.
  await page.getByLabel('Name', { exact: true }).first().fill(name);
  await press(page, 'Change');
  await applied(page, picture);
}

/** One is kept, the next one nobody keeps, and of both one can read later. */
async function changes(page) {
  await go(page, 'system');
  await rename(page, 'Boiler room, hall 3', 'renamed');
  await kept(page);
  await please('see it called Boiler room, hall 3');
  await page.locator('.phone-head', { hasText: 'Boiler room, hall 3' }).waitFor();
  await page.route('**/config/apply', (route) => route.continue({ postData: JSON.stringify({ ...route.request().postDataJSON(), confirm_s: TRIAL_S }) }));
  await rename(page, 'Nobody keeps this', 'unkept');
  await page.getByText('The change went back.').waitFor({ timeout: (TRIAL_S + 15) * 1_000 });
  await please('see it called Boiler room, hall 3');
  // The form has what is in force.
  await page.waitForFunction(() => [...document.querySelectorAll('form input')].some((input) => input.value === 'Boiler room, hall 3'));
  await page.locator('.changes li', { hasText: 'went back' }).first().waitFor();
  const listed = await page.locator('.changes li').allInnerTexts();
  check(listed.filter((line) => line.includes('kept')).length >= 3, 'what was kept is listed', listed);
  await page.locator('.changes li', { hasText: 'went back' }).first().locator('summary').click();
  await page.locator('.changes pre').first().getByText('Nobody keeps this').waitFor();
  await step(page, 'changes');
}

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  watch = stopwatch(page, paced);
  for (const part of [firstRun, addFromScan, addBroker, ...(paced ? [] : [examine, addFromTable, changes])]) {
    await part(page);
    watch.lap(part.name);
  }
  const minutes = watch.minutes('firstRun', 'addFromScan', 'addBroker');
  check(minutes < MINUTES_MAX, 'minutes from the box to a value that arrives', minutes, watch.laps);
  console.log(JSON.stringify({ pictures, minutes, laps: watch.laps }));
});
