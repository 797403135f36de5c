// The page in several tabs at once: those that nobody looks at leave the browser's few connections to the others, and who has
// logged in anew in one goes on in all.
import { address, check, go, logIn, main, openPage, password } from './browser.mjs';

/** More than a browser opens connections to one gateway. */
const TABS = 8;

/** As the browser does where another tab comes before it, which it does not without a window. */
const hide = (page, is) => page.evaluate((hidden) => {
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
}, is);

async function manyTabs(page) {
  const all = [page];
  while (all.length < TABS) {
    const next = await page.context().newPage(), last = all.length === TABS - 1;
    if (all.length === 1) await hide(page, true);
    // All but the last are opened behind the first.
    if (!last) await next.addInitScript(() => Object.defineProperty(document, 'hidden', { value: true, configurable: true }));
    all.push(next);
    await next.goto(`${address}/#/devices/boiler`, { timeout: 60_000 });
    await next.locator('.device-point .value-number', { hasText: /\d/ }).first().waitFor({ timeout: 60_000 });
  }
  // Whoever comes back to the first has what is now, and is told what happened meanwhile.
  const last = all.at(-1), rows = page.locator('.device-point .value-number', { hasText: /\d/ });
  await go(last, 'devices/boiler/settings');
  await last.getByLabel('Name', { exact: true }).fill('Kessel im Keller');
  await last.getByRole('button', { name: 'See what changes' }).click();
  await last.getByRole('button', { name: 'Apply on trial' }).click();
  await last.locator('.change-bar').waitFor();
  check(await page.locator('.change-bar').count() === 0, 'a tab that nobody looks at hears nothing');
  await hide(last, true);
  await hide(page, false);
  await page.locator('.change-bar').getByText('by owner').waitFor({ timeout: 60_000 });
  await rows.first().waitFor();
  await page.getByRole('button', { name: 'Go back' }).click();
  await page.getByText('The change went back.').waitFor();
  for (const one of all.slice(1)) await one.close();
}

/** Another session, as of a login in another tab: what is asked here is asked with its token. */
async function anotherSession(page) {
  await go(page, 'devices/boiler/settings');
  await page.getByLabel('Name', { exact: true }).fill('Kessel im Keller');
  const status = await page.evaluate(async (given) => (await fetch('/api/v1/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'owner', password: given }) })).status, password);
  check(status === 200, 'another session', status);
  await page.getByRole('button', { name: 'See what changes' }).click();
  await page.getByRole('dialog').locator('.difference li').waitFor();
  await page.keyboard.press('Escape');
}

/** The gateway is of another version than the page that is open: it is loaded anew. */
async function anotherVersion(page) {
  await page.evaluate(() => (window.isOld = true));
  await page.route('**/api/v1/session', async (route) => {
    const response = await route.fetch(), answer = await response.json();
    answer.gateway.version += '.1';
    await route.fulfill({ response, json: answer });
  });
  await page.locator('.rail').getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  check(!(await page.evaluate(() => window.isOld)), 'the page of the version before goes on');
  await page.unroute('**/api/v1/session');
}

/** What begins something that goes on for long cannot be pressed again as soon as that has begun. */
async function underWay(page) {
  let end;
  const held = new Promise((resolve) => (end = resolve));
  await page.route('**/api/v1/jobs/*/lines', (route) => held.then(() => route.continue()));
  await go(page, 'uplinks/cloud');
  let begun = 0;
  page.on('request', (request) => (begun += request.url().endsWith('/api/v1/jobs') && request.method() === 'POST'));
  await page.getByRole('button', { name: 'Examine', exact: true }).click();
  const button = await page.getByRole('button', { name: 'Examining …' }).elementHandle();
  await page.waitForFunction((one) => !one.hasAttribute('aria-busy'), button); // that it has begun is answered
  await button.evaluate((one) => one.click());
  check(await button.isDisabled() && begun === 1, 'it can be pressed again while it goes on', begun);
  end();
  await page.getByRole('button', { name: 'Examine', exact: true }).waitFor({ timeout: 60_000 });
  check(await page.getByRole('button', { name: 'Examine', exact: true }).isEnabled(), 'it can be pressed again afterwards');
  await page.unroute('**/api/v1/jobs/*/lines');
}

/** A file that is dropped beside its place opens nothing in place of the page. */
async function droppedBeside(page) {
  const taken = await page.evaluate(() => ['dragover', 'drop'].map((kind) => {
    const event = new DragEvent(kind, { bubbles: true, cancelable: true });
    document.querySelector('main').dispatchEvent(event);
    return event.defaultPrevented;
  }));
  check(taken.every(Boolean), 'the browser opens what is dropped', taken);
}

await main(async (browser) => {
  const page = await openPage(browser);
  await logIn(page);
  await go(page, 'devices/boiler');
  for (const part of [manyTabs, underWay, anotherSession, anotherVersion, droppedBeside]) await part(page);
  check(page.troubles.length === 0, page.troubles);
});
