// What every walk through the page needs: a browser, somebody who has logged in, and what may not be seen on any screen.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const address = process.env.SLUICE_PAGE;
export const password = process.env.SLUICE_PASSWORD ?? 'a few words are better';
/** Where pictures go for people to look at; none are made without it. */
const pictures = process.env.SLUICE_PICTURES;

const UNTIL_MS = 30_000, AGAIN_MS = 100;

export class Failure extends Error {}

export function check(truth, ...what) {
  if (!truth) throw new Failure(what.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(': '));
}

/** Debian's Chromium; its sandbox needs rights that a test as root does not have. */
export async function openBrowser() {
  return chromium.launch({ executablePath: process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** A page of its own in a context of its own; what goes wrong in it is collected in `page.troubles`. */
export async function openPage(browser, { width = 1440, scheme = 'light', language = 'en-GB', storage } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 780 : 900 }, colorScheme: scheme, locale: language, ignoreHTTPSErrors: true, storageState: storage,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.troubles = [];
  page.language = language.slice(0, 2);
  page.on('pageerror', (error) => page.troubles.push(error.message));
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) page.troubles.push(message.text());
  });
  return page;
}

export async function go(page, place) {
  await page.goto(`${address}/#/${place}`);
  await page.waitForSelector('h1');
}

/** The account's language is that of the page wherever it logs in: here the one that the walk is in. */
async function speak(page, language) {
  if ((await page.evaluate(() => document.documentElement.lang)) === language) return;
  await page.evaluate((wanted) => {
    const choice = [...document.querySelectorAll('.rail > .account select')].find((one) => [...one.options].some((option) => option.value === wanted));
    choice.value = wanted;
    choice.dispatchEvent(new Event('change'));
  }, language);
  await page.waitForFunction((wanted) => document.documentElement.lang === wanted, language);
}

export async function logIn(page, name = 'owner') {
  await page.goto(address);
  await page.getByLabel(/^Name/).fill(name);
  await page.getByLabel(/^Passwor[dt]$/).fill(password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.rail');
  await speak(page, page.language);
}

/** Waits until an answer that the page itself has to wait for is true: for waitForFunction the promise of one is. */
export async function until(page, asked, argument) {
  const end = Date.now() + UNTIL_MS;
  while (!(await page.evaluate(asked, argument))) {
    check(Date.now() < end, 'not in time', String(asked));
    await page.waitForTimeout(AGAIN_MS);
  }
}

/** Accessibility as axe-core judges it; returns what is wrong, a sentence each. */
export async function axe(page) {
  // By the debugger: the page's own policy lets nobody add a script.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axeSource });
  const answer = await session.send('Runtime.evaluate', { expression: 'axe.run().then((found) => JSON.stringify(found.violations))', awaitPromise: true, returnByValue: true });
  await session.detach();
  return JSON.parse(answer.result.value).map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(' ')).join(', ')}`);
}

/** How much the page's parts jumped within `ms`, while nobody touched it (the score of Layout Instability). */
export async function shifts(page, ms) {
  return page.evaluate((time) => new Promise((done) => {
    let sum = 0;
    const sources = [];
    const observer = new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
      sum += entry.value;
      entry.sources.forEach((source) => sources.push(source.node?.className || source.node?.nodeName));
    }));
    observer.observe({ type: 'layout-shift' });
    setTimeout(() => done({ sum, sources: [...new Set(sources)] }), time);
  }), ms);
}

/** How much the page is wider than the window, px. */
export async function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** By so much all letters become wider, of the size of a letter: as much as fonts of other systems are. */
const WIDER = '.05em';

/** How much the page would be wider than the window in a font that is a tenth wider, px, and where it begins to be. */
export async function overflowWide(page) {
  return page.evaluate((wider) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { letter-spacing: ${wider} !important; }`);
    document.adoptedStyleSheets = [sheet];
    const root = document.documentElement, by = root.scrollWidth - window.innerWidth;
    const where = by <= 0 ? [] : [...document.querySelectorAll('main *, .phone-head *')].filter((element) => Math.max(element.getBoundingClientRect().right, element.getBoundingClientRect().left + element.scrollWidth) > window.innerWidth + 0.5 && !element.querySelector('*') && !element.closest('.scroll, .unseen'))
      .map((element) => `${element.localName}.${element.className}: ${element.textContent.slice(0, 40)}`).slice(0, 4);
    document.adoptedStyleSheets = [];
    return { by, where };
  }, WIDER);
}

/** What is to be moved sideways within itself: lines of a program. */
const SIDEWAYS = 'pre, textarea, input, select';

/** What is cut off at its right by what holds it, and not by an ellipsis that says so: a sentence each. */
export async function clipped(page) {
  return page.evaluate((sideways) => [...document.querySelectorAll('main *')].filter((element) => {
    if (element.scrollWidth <= element.clientWidth + 1 || !element.clientWidth || element.closest(sideways)) return false;
    const style = getComputedStyle(element);
    return style.overflowX !== 'visible' && style.textOverflow !== 'ellipsis' && style.clip === 'auto' && style.clipPath === 'none';
  }).map((element) => `${element.localName}.${element.className}: ${element.scrollWidth} px in ${element.clientWidth}: ${element.innerText.slice(0, 60)}`), SIDEWAYS);
}

export async function picture(page, name) {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}

let answers;

/** Asks for what happens outside the page (test_page.py: accompany), and waits until it is done. */
export async function please(words) {
  answers ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  console.log(`please ${words}`);
  const { value } = await answers.next();
  check(value === 'done', words, value ?? 'nobody answers');
}

/** Runs the walk, tells what went wrong, ends the program. */
export async function main(walk) {
  const browser = await openBrowser();
  let failed = false;
  try {
    await walk(browser);
  } catch (error) {
    failed = true;
    console.log(error instanceof Failure ? `FAILED: ${error.message}` : error.stack);
    for (const [i, page] of browser.contexts().flatMap((context) => context.pages()).entries()) await picture(page, `failed-${i}`).catch(() => {});
  }
  await browser.close();
  process.exit(failed ? 1 : 0);
}
