// An address is set on the page, and kept; a wrong one is taken back.
import { axe, check, go, logIn, main, openPage, overflow, picture } from './browser.mjs';

async function look(page, name) {
  await picture(page, `network-${name}`);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

const form = (page) => page.locator('details', { has: page.locator('summary', { hasText: 'Set eth0' }) });

async function set(page, address, router) {
  const own = form(page);
  await own.locator('summary').click();
  await own.getByLabel('Address', { exact: true }).selectOption('static');
  await own.getByLabel('Its address, with prefix').fill(address);
  await own.getByLabel('Router').fill(router);
  await own.getByLabel('Name servers').fill('192.168.7.1, 192.168.7.2');
  await own.getByRole('button', { name: 'Set eth0' }).click();
}

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  await logIn(page);
  await go(page, 'system');
  await set(page, '192.168.7.20', '');
  await page.getByRole('alert').getByText('with its prefix').waitFor();
  await look(page, 'refused');
  await form(page).getByLabel('Its address, with prefix').fill('192.168.7.20/24');
  await form(page).getByLabel('Router').fill('192.168.7.1');
  await form(page).getByRole('button', { name: 'Set eth0' }).click();
  await page.getByText('The network was changed').waitFor();
  await look(page, 'pending');
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByText('The network was changed').waitFor({ state: 'detached' });
  await form(page).locator('summary').click();
  check((await form(page).getByLabel('Its address, with prefix').inputValue()) === '192.168.7.20/24', 'what is set is there');
  // The connection is what is changed: that the answer is lost is as usual as not.
  await page.route('**/api/v1/network/eth0', async (route) => {
    await route.fetch();
    await route.abort();
  }, { times: 1 });
  await form(page).getByRole('button', { name: /^As the system has it/ }).click();
  await form(page).getByRole('button', { name: /^Really/ }).click();
  await page.getByText('The network was changed').waitFor();
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.getByText('it was taken back').waitFor();
  await look(page, 'back');
  check(page.troubles.length === 0, 'troubles', page.troubles);
  console.log('an address was set, kept, and another change taken back');
});
