// The gateway goes out of reach while one looks: the page says so and since when, keeps what it had, and goes on by
// itself once the gateway is back. The walk ends the gateway, says "gone", and waits for it to be started again.
import { check, go, logIn, main, openPage, picture } from './browser.mjs';

const gateway = Number(process.env.SLUICE_PID);
const notice = '.away .notice';

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  await logIn(page);
  await page.waitForSelector('.journal-card');
  const kept = await page.locator('.flow-card').count();
  process.kill(gateway, 'SIGKILL');
  await page.waitForSelector(notice);
  check(/since \d\d:\d\d:\d\d/.test(await page.locator(notice).innerText()), 'since when', await page.locator(notice).innerText());
  check(await page.locator('.flow-card').count() === kept, 'what was shown stays');
  await picture(page, 'away');
  console.log('gone');
  await page.waitForSelector(notice, { state: 'detached', timeout: 60_000 });
  // A gateway that was ended knows no session any more: the page asks who is there.
  if (await page.locator('input[type=password]').count()) await logIn(page);
  await go(page, 'devices/boiler');
  await page.waitForSelector('.device-point');
  check(page.troubles.length === 0, page.troubles);
});
