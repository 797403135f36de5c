// Figures of the page: how long until the first value is there, cold; and how long a frame takes while the list is
// scrolled. Prints one object of JSON.   measure.mjs [first] [list]
import { address, logIn, openBrowser, openPage } from './browser.mjs';

const ROUNDS = 7, FRAMES = 300, PER_FRAME_PX = 240;
const wanted = process.argv.slice(2);
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** From the begin of the navigation, in a browser that has nothing of the page, until a number stands there. */
async function firstValue(browser, storage) {
  const page = await openPage(browser, { storage });
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!/\d/.test(document.querySelector('.value-number')?.textContent ?? '')) return;
      window.firstValue = performance.now();
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
  await page.goto(`${address}/#/devices`);
  await page.waitForFunction(() => window.firstValue > 0);
  const took = await page.evaluate(() => window.firstValue);
  await page.context().close();
  return took;
}

async function listFrames(browser, storage) {
  const page = await openPage(browser, { storage });
  await page.goto(`${address}/#/devices`);
  await page.waitForSelector('.point-row');
  await page.waitForTimeout(2_000); // the list is at rest, and values come
  const frames = await page.evaluate(async ([count, px]) => {
    const took = [];
    let before = performance.now();
    for (let i = 0; i < count; i++) {
      window.scrollBy(0, px);
      await new Promise(requestAnimationFrame);
      took.push(performance.now() - before);
      before = performance.now();
    }
    return took.sort((a, b) => a - b);
  }, [FRAMES, PER_FRAME_PX]);
  return frames[Math.floor(frames.length * 0.95)];
}

const browser = await openBrowser();
const door = await openPage(browser);
await logIn(door);
const storage = await door.context().storageState();
const figures = {};
if (wanted.includes('first')) {
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await firstValue(browser, storage));
  figures.first_value_ms = Math.round(median(rounds));
}
if (wanted.includes('list')) figures.list_frame_ms = Number((await listFrames(browser, storage)).toFixed(1));
console.log(JSON.stringify(figures));
await browser.close();
