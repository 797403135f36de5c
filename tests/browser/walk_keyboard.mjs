// The page without a mouse: logging in, past the rail to the content, through the screens; where one is can be seen. What had
// the focus and goes away leaves it where somebody is at work.
import { address, check, go, main, openPage, password } from './browser.mjs';

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

const has = async (page, wanted, ...what) => {
  await page.waitForFunction((name) => (document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || document.activeElement.value).includes(name), wanted)
    .catch(() => {});
  const now = await focused(page);
  check(now.name.includes(wanted) && !now.body, ...what, now);
};

/** The question takes it, and gives it back; what is removed leaves it in its panel. */
async function questionsAsk(page) {
  await go(page, 'system');
  const viewer = page.locator('.entries li', { hasText: 'looker' });
  await viewer.getByRole('button').focus();
  await page.keyboard.press('Enter');
  await has(page, 'Really: Remove looker', 'the question');
  await tabTo(page, 'Cancel', 1);
  await page.keyboard.press('Enter');
  await has(page, 'Remove looker', 'what was not done');
  await page.keyboard.press('Enter');
  await has(page, 'Really: Remove looker', 'the question again');
  await page.keyboard.press('Enter');
  await viewer.waitFor({ state: 'detached' });
  await has(page, 'Who may come in', 'what was removed');
  // Who presses twice out of habit has not read what is asked.
  await page.getByRole('button', { name: 'Restart' }).click();
  await page.locator('.sure .danger').evaluate((button) => button.dispatchEvent(new MouseEvent('click', { detail: 2, bubbles: true })));
  check(await page.locator('.sure').count() === 1 && await page.getByText('It restarts.').count() === 0, 'a double press is an answer');
}

/** A number is typed digit by digit, and what is pressed has the focus again when it may be pressed again. */
async function stepsKeepTheirPlace(page) {
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('bus/hall');
  await page.getByRole('button', { name: /^From the library/ }).click();
  await page.getByLabel('Maker or model').fill('eastron sdm120');
  await page.getByRole('button', { name: 'Choose Eastron SDM120', exact: true }).focus();
  await page.keyboard.press('Enter');
  await has(page, 'What it is', 'the list of models is gone');
  const unit = page.getByLabel('Unit number');
  await unit.focus();
  await page.keyboard.press('Control+A');
  for (const digit of '123') await page.keyboard.press(digit);
  check(await unit.inputValue() === '123', 'the unit', await unit.inputValue());
  check(await unit.evaluate((field) => field === document.activeElement), 'the field has the focus after each digit');
  await unit.fill('1');
  const read = page.getByRole('button', { name: 'Read once' });
  await read.focus();
  await page.keyboard.press('Enter');
  await page.locator('.probed li').first().waitFor({ timeout: 60_000 });
  await has(page, 'Read once', 'what was pressed');
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
  await page.keyboard.press('Enter');
  await page.locator('dialog input').fill('40');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^Write 40/ }).waitFor();
  await has(page, 'Write Setpoint of', 'a step of the dialog');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'rs485-1', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'rs485-1', level: 1 }).waitFor();
  await has(page, 'rs485-1', 'a link of the screen before');
  for (const part of [questionsAsk, stepsKeepTheirPlace]) await part(page);
  check(page.troubles.length === 0, page.troubles);
});
