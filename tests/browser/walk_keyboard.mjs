// The page without a mouse: logging in, past the rail to the content, through the screens; where one is can be seen.
import { address, check, main, openPage, password } from './browser.mjs';

const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  return { body: element === document.body, name: (element.getAttribute('aria-label') || element.textContent || element.name || element.nodeName).slice(0, 80), seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 };
});

async function tabTo(page, wanted, most = 40) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    check(now.seen || now.body, 'where the focus is cannot be seen', now);
    if (now.name.includes(wanted)) return;
  }
  check(false, 'the keyboard does not reach', wanted);
}

await main(async (browser) => {
  const page = await openPage(browser);
  await page.goto(address);
  await page.getByLabel('Password').waitFor();
  await tabTo(page, 'password');
  await page.keyboard.type(password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.journal-card');
  await page.reload();
  await page.waitForSelector('.journal-card');
  await tabTo(page, 'Skip to the content', 1);
  await page.keyboard.press('Enter');
  check((await page.evaluate(() => document.activeElement.id)) === 'main', 'the content has the focus');
  await page.reload();
  await page.waitForSelector('.journal-card');
  await tabTo(page, 'Devices');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.device-row');
  check((await page.evaluate(() => document.activeElement.nodeName)) === 'H1', 'the heading of the new screen has the focus');
  await tabTo(page, 'Kessel');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.device-point');
  await tabTo(page, 'Write Setpoint', 60);
  const ends = { 'with Escape': () => page.keyboard.press('Escape'), 'with its button': () => tabTo(page, 'Cancel').then(() => page.keyboard.press('Enter')) };
  for (const [how, end] of Object.entries(ends)) {
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    check(await page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)), 'the dialog has the focus');
    await end();
    await page.waitForSelector('dialog', { state: 'detached' });
    check((await focused(page)).name.includes('Write'), 'the focus is back where it came from', how, await focused(page));
  }
  check(page.troubles.length === 0, page.troubles);
});
