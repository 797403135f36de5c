// From an unopened box to the overview on a phone, then out and in again.
import { address, axe, check, main, openPage, password, picture } from './browser.mjs';

const code = process.env.SLUICE_CODE;

async function press(page, name) {
  await page.getByRole('button', { name, exact: true }).click();
}

/** A device whose clock is an hour ahead of the gateway's. */
async function clockIsOff(browser) {
  const page = await openPage(browser, { width: 360 });
  await page.addInitScript(() => {
    const now = Date.now;
    Date.now = () => now() + 3_600_000;
  });
  await page.goto(`${address}/#/?code=${code}`);
  await press(page, 'Next');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await press(page, 'Next');
  await page.getByText('Step 3 of 3').waitFor();
  check(await page.getByLabel(/^Take the time of this device/).isChecked(), 'a clock that is off is set');
  await page.context().close();
}

await main(async (browser) => {
  await clockIsOff(browser);
  const page = await openPage(browser, { width: 360 });
  // As the QR code of its label opens it.
  await page.goto(`${address}/#/?code=${code}`);
  check((await page.getByLabel('Setup code').inputValue()) === code, 'the code of the label');
  check(!page.url().includes('code='), 'it is left in the address', page.url());
  await page.getByLabel('Setup code').fill('');
  await press(page, 'Next');
  await page.locator('.wrong', { hasText: 'Enter the code first' }).waitFor();
  await page.getByLabel('Setup code').fill('0000-0000');
  check((await page.locator('.wrong').count()) === 0, 'a code that may be right');
  await press(page, 'Next');
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Setup code').fill(code);
  check((await axe(page)).length === 0, 'the code', await axe(page));
  await picture(page, 'first-run-code');
  // The focus goes to a step's first field as the step comes, and not when somebody types already.
  await page.evaluate(() => {
    new MutationObserver((_, observer) => {
      if (!document.body.innerText.includes('Step 2 of 3')) return;
      window.focused = document.activeElement.name;
      observer.disconnect();
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await press(page, 'Next');
  await page.getByText('Step 2 of 3').waitFor();
  check((await page.evaluate(() => window.focused)) === 'username', 'where the focus is as the step comes', await page.evaluate(() => window.focused));
  await page.getByLabel('Password', { exact: true }).fill('short');
  await press(page, 'Next');
  await page.locator('.wrong', { hasText: 'At least 10 characters' }).waitFor();
  check((await page.getByText('At least 10 characters').count()) === 1, 'it is said once');
  await page.getByLabel('Name', { exact: true }).fill('The Owner');
  await page.locator('.wrong', { hasText: 'small letters' }).waitFor();
  await page.getByLabel('Name', { exact: true }).fill('owner');
  await page.getByLabel('Password', { exact: true }).fill(password);
  check((await axe(page)).length === 0, 'the owner', await axe(page));
  await press(page, 'Next');
  await page.getByText('Step 3 of 3').waitFor(); // The step before has a name, too: that of the owner.
  await page.getByLabel('Name', { exact: true }).fill('Boiler room');
  check((await page.getByLabel('Id', { exact: true }).inputValue()) === 'plant7', 'the id of a gateway that had a name stays');
  await page.getByLabel('Id', { exact: true }).fill('');
  await press(page, 'Make it mine');
  await page.locator('.wrong', { hasText: 'small letters' }).waitFor();
  await page.getByLabel('Id', { exact: true }).fill('plant7');
  await page.getByText('The clock is right:').waitFor();
  check(!(await page.getByRole('checkbox').count()), 'a clock that is right is not to be set');
  check((await axe(page)).length === 0, 'the gateway', await axe(page));
  await picture(page, 'first-run-gateway');
  await press(page, 'Make it mine');
  await page.waitForSelector('.journal-card');
  await page.getByText(/^Kessel: 1 of \d+ values not good/).waitFor();

  await page.getByRole('button', { name: 'More' }).click();
  await page.locator('.more-sheet').getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Password').fill('not the password at all');
  await press(page, 'Log in');
  await page.getByRole('alert').waitFor();
  await picture(page, 'login-refused');
  check((await axe(page)).length === 0, 'the login', await axe(page));
  check(page.troubles.length === 0, page.troubles);
});
