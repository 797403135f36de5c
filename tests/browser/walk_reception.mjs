// Where reception is bad a request takes effect and its answer is lost, or comes in part: what became of it is seen all the
// same, nobody is asked for what is done already, and what a page began that is gone is not left behind.
import { createServer } from 'node:net';
import { address, axe, check, go, logIn, main, openPage, password, picture, until } from './browser.mjs';

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

/** What is sent there next arrives, and its answer does not. */
async function losesTheAnswer(page, path) {
  await page.route(`**/api/v1/${path}`, async (route) => {
    const known = (await page.context().cookies()).length > 0;
    await route.fetch();
    if (!known) await page.context().clearCookies(); // a cookie that came with it is lost, too
    await route.abort();
  }, { times: 1 });
}

/** The last step of the first run: whose it is then is known, and asked for the password. */
async function firstRun(page) {
  await page.goto(`${address}/#/?code=${process.env.SLUICE_CODE}`);
  await press(page, 'Next');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await press(page, 'Next');
  await page.getByText('Step 3 of 3').waitFor();
  await losesTheAnswer(page, 'setup');
  await press(page, 'Make it mine');
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  await logIn(page);
}

/** A change that is on trial, of which the browser was not told: the question of it ends, and the bar is there. */
async function change(page) {
  await go(page, 'devices/boiler/settings');
  await page.getByLabel('Name', { exact: true }).fill('Kessel im Keller');
  await press(page, 'See what changes');
  await page.getByText('goes back by itself').waitFor();
  await losesTheAnswer(page, 'config/apply');
  await press(page, 'Apply on trial');
  await page.locator('.change-bar').getByText('by owner').waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: 'Kessel im Keller', level: 1 }).waitFor();
  await press(page, 'Go back');
  await page.getByText('The change went back.').waitFor();
}

/** The half of an answer is none: that is told as what it is. */
async function halfAnAnswer(page) {
  await go(page, 'devices');
  await page.evaluate(() => {
    const whole = window.fetch;
    window.fetch = (path, ...more) => {
      if (!path.endsWith('/config/history')) return whole(path, ...more);
      const body = new ReadableStream({
        start(control) {
          control.enqueue(new TextEncoder().encode('{"changes":['));
          control.error(new TypeError('network error'));
        },
      });
      return Promise.resolve(new Response(body));
    };
  });
  await go(page, 'system');
  await page.getByRole('region', { name: 'Changes' }).getByRole('alert').getByText('The gateway does not answer.').waitFor();
  check(await page.getByText('TypeError').count() === 0, 'words of the browser');
  await page.reload();
}

/** A token that was made is listed, so that it can be removed and made anew. */
async function token(page) {
  await go(page, 'system');
  const panel = page.getByRole('region', { name: 'Programs' });
  await panel.locator('summary').click();
  await panel.getByLabel('What it is for').fill('scada');
  await losesTheAnswer(page, 'tokens');
  await panel.locator('form button').click();
  await panel.getByText('The gateway does not answer.').waitFor();
  await panel.locator('.entries li', { hasText: 'scada' }).waitFor();
  check((await axe(page)).length === 0, 'a token', await axe(page));
  await picture(page, 'reception-token');
  await panel.getByRole('button', { name: /^Remove/ }).click();
  await losesTheAnswer(page, 'tokens/scada');
  await panel.getByRole('button', { name: /^Really: Remove/ }).click();
  await panel.locator('.entries li').waitFor({ state: 'detached' });
}

/** Of all units: the second of the two. */
const scanning = (page, is) => until(page, async (wanted) => (await (await fetch('/api/v1/jobs')).json()).jobs[1]?.running === wanted, is);

/** The page is loaded anew in the middle of a scan, which would take minutes where nobody answers: nothing is left lent. */
async function scan(page) {
  const silent = createServer().listen(0, '127.0.0.1');
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('network');
  await page.getByLabel('Address').fill(`127.0.0.1:${silent.address().port}`);
  await page.getByRole('button', { name: /^Look for it/ }).click();
  await press(page, 'Stop');
  await press(page, 'Look at all units');
  await page.getByText('Asking.').waitFor();
  await scanning(page, true);
  await page.reload();
  await scanning(page, false);
  silent.close();
}

/** A clock that was set is asked for at once: by it all ages are told. */
async function clock(page) {
  const asked = [];
  page.on('request', (request) => request.url().endsWith('/api/v1/status') && asked.push(request));
  await go(page, 'logs');
  await page.route('**/api/v1/live?*', (route) => route.fulfill({ contentType: 'text/event-stream', body: 'event: event\ndata: {"k":"clock","n":1,"t":1,"v":1}\n\n' }), { times: 1 });
  await page.reload();
  await page.waitForSelector('h1');
  const before = asked.length;
  await page.waitForRequest((request) => request.url().endsWith('/api/v1/status') && asked.length > before);
}

/** What is slow is not asked twice by who presses again, and it is seen that it goes on. */
async function slow(page) {
  const change = page.getByRole('button', { name: 'Change the password' }), fresh = page.getByLabel('New password');
  let asked = 0, go_on;
  const waits = new Promise((resolve) => (go_on = resolve));
  await page.route('**/api/v1/password', async (route) => {
    asked++;
    await waits;
    await route.continue();
  });
  await go(page, 'system');
  await page.getByLabel('Present password').fill(password);
  await fresh.fill('a few other words are better');
  await change.click();
  await page.waitForFunction((button) => button.matches('[aria-busy]'), await change.elementHandle());
  await fresh.press('Enter');
  go_on();
  await page.getByText('The password is changed.').waitFor();
  check(asked === 1 && await change.getAttribute('aria-busy') === null, 'it is asked twice', asked);
  check(await page.getByRole('region', { name: 'My password' }).getByRole('alert').count() === 0, 'nothing is refused');
}

/** What is not known yet is not said to be nothing. */
async function notYet(page) {
  let arrive;
  const late = ['tokens', 'config/history', 'log?*'], held = new Promise((resolve) => (arrive = resolve));
  const hold = async (route) => {
    await held;
    await route.continue();
  };
  await go(page, 'devices');
  for (const path of late) await page.route(`**/api/v1/${path}`, hold);
  const none = page.getByText(/^(No program has a token|Nothing was changed yet|Nothing of that kind)/);
  await go(page, 'system');
  await page.getByRole('region', { name: 'Programs' }).waitFor();
  check(await none.count() === 0, 'nothing, before it is known', await none.allInnerTexts());
  await go(page, 'logs');
  await page.locator('.log-box').waitFor();
  check(await none.count() === 0, 'nothing, before it is known', await none.allInnerTexts());
  arrive();
  await page.locator('.log-lines li').first().waitFor();
  for (const path of late) await page.unroute(`**/api/v1/${path}`, hold);
  await go(page, 'system');
  await page.getByText('No program has a token.').waitFor();
}

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  for (const part of [firstRun, change, halfAnAnswer, token, notYet, scan, clock, slow]) await part(page);
  check(page.troubles.length === 0, page.troubles);
});
