// What people call things: long words, hosts without a blank, other scripts and pictures. Nothing is wider than a telephone by them.
import { check, clipped, go, logIn, main, openPage, overflow, picture } from './browser.mjs';
import { fileName, screens } from './screens.mjs';

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 }), wide = [];
  await logIn(page);
  for (const { place, ready } of screens) {
    await go(page, place);
    await page.waitForSelector(ready);
    await picture(page, `names-${fileName(place)}`);
    if ((await overflow(page)) > 0) wide.push(`${place}: by ${await overflow(page)} px`);
    wide.push(...(await clipped(page)).map((what) => `${place}: ${what}`));
  }
  check(wide.length === 0, 'wider than the window', wide);
  check(page.troubles.length === 0, page.troubles);
});
