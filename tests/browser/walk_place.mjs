// Whoever looks for devices where none can be, or says where only after having begun to look: nobody is asked but where it
// was wanted, and why one could not look is told once. What was found is added, and kept.
import { axe, check, go, logIn, main, openPage, overflow, picture } from './browser.mjs';

const { SLUICE_HALL: hall } = process.env;
const look = (page) => page.getByRole('button', { name: /^Look for it/ });

/** Where the page had devices looked for, in turn. */
function asked(page) {
  const places = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/jobs')) places.push(request.postDataJSON().on);
  });
  return places;
}

async function step(page, name) {
  await picture(page, name);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

/** A place that nobody can look at: the reason, and no advice for a line on which nobody answers. */
async function cannot(page, name) {
  await page.locator('.scan [role=alert]').waitFor({ timeout: 30_000 });
  await page.getByRole('button', { name: 'Look again' }).waitFor();
  const told = await page.locator('.scan').innerText();
  check(!/devices answer|Nobody/.test(told), name, told);
  await step(page, name);
}

async function typedWhileLooking(page) {
  const places = asked(page), path = page.getByLabel('Path of the port');
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('typed');
  await path.fill('/');
  await look(page).click();
  await page.locator('.scan').waitFor();
  await path.press('End');
  await path.pressSequentially('dev/ttyNone');
  check(await look(page).getAttribute('aria-pressed') === 'false' && await page.locator('.scan').count() === 0, 'another place is not looked at by itself');
  await look(page).click();
  await cannot(page, 'no-port');
  check(places.join() === '/,/dev/ttyNone', 'asked', places);
}

async function addressWhileLooking(page) {
  const places = asked(page), address = page.getByLabel('Address');
  await page.getByLabel('Line or port').selectOption('network');
  await address.fill('127.0.0.1:9');
  await look(page).click();
  await cannot(page, 'refused-host');
  await address.fill('');
  await address.pressSequentially(hall);
  await look(page).click();
  await page.getByRole('button', { name: 'Take Unit 1' }).waitFor({ timeout: 60_000 });
  check(places.join() === `127.0.0.1:9,${hall}`, 'asked', places);
  await step(page, 'answers');
}

/** Everything restarts, of which this page knows nothing but that nobody knows its job any more. */
async function outlivesARestart(page) {
  const other = await page.context().newPage();
  await go(other, 'system');
  const restart = other.getByRole('button', { name: 'Restart' });
  await restart.waitFor();
  await page.getByRole('button', { name: 'Look at all units' }).click();
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  await restart.click();
  await other.getByRole('button', { name: 'Really: Restart' }).click();
  await other.getByText('It restarts.').waitFor();
  await page.locator('.scan [role=alert]').getByText('the gateway was restarted meanwhile').waitFor({ timeout: 30_000 });
  await step(page, 'job-gone');
  await restart.waitFor();
  check((await other.getByText('It restarts.').count()) === 0, 'it has restarted');
  await other.close();
  await page.getByRole('button', { name: 'Look again' }).click();
  await page.getByRole('button', { name: 'Take Unit 1' }).waitFor({ timeout: 60_000 });
}

/** What is said of the change is so as long as it is on trial, and not after somebody has kept it. */
async function takenAndKept(page) {
  await page.getByRole('button', { name: 'Take Unit 1' }).click();
  await page.getByLabel('Maker or model').fill('eastron sdm120');
  await page.locator('.library li').first().getByText('from sure sources').waitFor();
  await page.getByRole('button', { name: 'Choose Eastron SDM120', exact: true }).click();
  await page.getByRole('button', { name: 'Read once', exact: true }).click();
  await page.getByText('Hardly anything fits: is it another model?').waitFor({ timeout: 60_000 });
  await page.getByLabel('Name', { exact: true }).fill('Meter');
  await page.getByRole('button', { name: 'See what changes' }).click();
  await page.getByRole('dialog').getByText('Hardly anything fits: is it another model?').waitFor();
  await page.getByRole('button', { name: 'Apply on trial' }).click();
  await page.getByText('It is added, on trial.').waitFor();
  await page.locator('.change-bar').getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByText('It is added.', { exact: true }).waitFor();
  check(await page.getByText('at the top of the page').count() === 0, 'nothing is left to keep');
  await step(page, 'kept');
}

/** The address of a line that is there is that line, and no second connection. */
async function isTheLineThatIsThere(page) {
  await go(page, 'devices');
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('network');
  await page.getByLabel('Address').fill(hall);
  await page.getByText(`the line that is there (${hall})`).last().waitFor();
  check((await page.getByLabel('Id of the new line').count()) === 0, 'no line of its own');
  await page.getByLabel('Address').fill('127.0.0.1:9');
  check((await page.getByLabel('Id of the new line').count()) === 1, 'another address is');
  await page.getByRole('button', { name: /^From the library/ }).click();
  await page.getByLabel('Maker or model').fill('no such model');
  await page.getByText('No model. Search by maker').waitFor();
}

/** Who may only look is not offered what leads him nowhere. */
async function isOfferedNothing(browser) {
  const page = await openPage(browser, { width: 360 });
  await logIn(page, 'viewer');
  await page.getByText('No broker yet').waitFor();
  check(await page.locator('main a.button').count() === 0, 'a way that is closed', await page.locator('main a.button').allInnerTexts());
  await page.context().close();
}

await main(async (browser) => {
  await isOfferedNothing(browser);
  const page = await openPage(browser, { width: 360 });
  await logIn(page);
  for (const part of [typedWhileLooking, addressWhileLooking, outlivesARestart, takenAndKept, isTheLineThatIsThere]) await part(page);
  check(page.troubles.length === 0, page.troubles);
});
