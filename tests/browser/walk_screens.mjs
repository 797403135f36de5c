// Every screen, light and dark, on a phone and on a desk, in both languages: nothing wider than the window or cut off
// (on a phone not even in a font that is a tenth wider, as other systems have), nothing that jumps while values change, no error, and no violation of accessibility.
import { axe, check, clipped, go, logIn, main, openPage, overflow, overflowWide, picture, shifts } from './browser.mjs';
import { fileName, screens } from './screens.mjs';

/** What comes after the first picture (a chart, a list of ports) has come by then; from then on nothing may move. */
const LOADED_MS = 700;
const WATCHED_MS = 1_100;
const looks = [
  { width: 1440, scheme: 'light', language: 'en-GB' },
  { width: 360, scheme: 'dark', language: 'de-DE' },
  { width: 360, scheme: 'light', language: 'en-GB' },
  { width: 1440, scheme: 'dark', language: 'de-DE' },
];

const chosen = process.env.SLUICE_LONG ? looks : looks.slice(0, 2);

await main(async (browser) => {
  let violations = 0;
  const cut = [];
  for (const look of chosen) {
    const page = await openPage(browser, look);
    await logIn(page);
    for (const { place, ready } of screens) {
      const name = `${fileName(place)}-${look.width}-${look.scheme}-${look.language.slice(0, 2)}`;
      await go(page, place);
      await page.waitForSelector(ready);
      if (place === 'devices/boiler') await page.locator('.device-point', { hasText: 'Reactive energy export' }).getByText(/xception 2|usnahme 2/).waitFor();
      await page.waitForTimeout(LOADED_MS);
      const moved = await shifts(page, WATCHED_MS);
      await picture(page, name);
      const wrong = await axe(page);
      violations += wrong.length;
      wrong.forEach((sentence) => console.log(`${name}: ${sentence}`));
      check(moved.sum < 0.001, name, 'parts jump', moved);
      check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
      if (look.width === 360) {
        const wide = await overflowWide(page);
        if (wide.by > 0) cut.push(`${name}: in wider letters wider than the window by ${wide.by}: ${wide.where.join('; ')}`);
      }
      cut.push(...(await clipped(page)).map((what) => `${name}: ${what}`));
      const filled = await page.evaluate(() => [...document.querySelectorAll('input[type=password]')].filter((field) => !/^(new|current)-password$/.test(field.autocomplete)).map((field) => field.labels[0].textContent));
      check(filled.length === 0, name, 'where browsers fill in the password of whoever is logged in', filled);
      check(page.troubles.length === 0, name, page.troubles);
    }
    await page.context().close();
  }
  check(cut.length === 0, 'cut off', cut);
  check(violations === 0, 'violations of accessibility', violations);
  console.log(JSON.stringify({ screens: screens.length, looks: chosen.length, axe_violations: violations }));
});
