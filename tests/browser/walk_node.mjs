// The owner updates a sensor node over its bus: a file that is damaged is refused in words, a good one is sent, tried out
// and kept, though nobody looks for a while; and back. One that is begun at the machine is followed, too, and ended here.
import { axe, check, go, logIn, main, openPage, picture, please } from './browser.mjs';

const WORK_MS = 240_000; // the node is emulated, and slow where the machine is busy

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  const press = (name) => page.getByRole('button', { name }).click();
  await logIn(page);
  await go(page, 'devices/node');
  const panel = page.locator('section', { has: page.getByRole('heading', { name: 'Firmware' }) });
  const runs = (slot, version) => panel.locator('.facts > div', { hasText: `Slot ${slot}` }).filter({ hasText: version }).filter({ hasText: 'runs' }).waitFor({ timeout: WORK_MS });
  await press('See what runs');
  await runs('A', '1.0.0');
  check((await axe(page)).length === 0, 'what runs', await axe(page));

  await panel.locator('input[type=file]').setInputFiles(process.env.SLUICE_DAMAGED);
  await panel.getByText('It is cut off: fetch it again').waitFor();
  check(await panel.getByRole('button', { name: /^Update to/ }).count() === 0, 'a damaged file cannot be sent');

  await panel.locator('input[type=file]').setInputFiles(process.env.SLUICE_GOOD);
  await panel.getByText('The file holds 1.1.0 for microbit.').waitFor();
  check(await panel.getByRole('alert').count() === 0, 'what was wrong before is not told any more');
  // Whoever looks from elsewhere sees it from its beginning on.
  const other = await openPage(browser, { width: 1440 });
  await logIn(other);
  await go(other, 'devices/node');
  await other.getByRole('button', { name: 'See what runs' }).waitFor();
  await press('Update to 1.1.0');
  await panel.getByRole('progressbar').waitFor();
  await other.getByRole('progressbar', { name: /^Sending/ }).waitFor();
  await other.context().close();
  // It goes on when nobody looks, and whoever comes back sees how far it is.
  await go(page, 'devices');
  await page.getByRole('link', { name: 'node' }).click();
  await panel.getByRole('progressbar').waitFor();
  check((await panel.getByText(/^(Sending|It restarts|It answers)/).count()) === 1, 'how far it is', await panel.innerText());
  check((await axe(page)).length === 0, 'it is sent', await axe(page));
  await picture(page, 'node-update');
  await panel.getByText('1.1.0 runs and is kept.').waitFor({ timeout: WORK_MS });
  await runs('B', '1.1.0');
  check((await axe(page)).length === 0, 'it runs', await axe(page));
  await picture(page, 'node-updated');

  await press(/^Back to 1\.0\.0/);
  await panel.locator('button.danger').click();
  await panel.getByText('It goes back to the version before.').waitFor();
  check((await panel.getByText(/^Sending/).count()) === 0, 'nothing is sent', await panel.innerText());
  await panel.getByText('1.0.0 runs and is kept.').waitFor({ timeout: WORK_MS });
  await runs('A', '1.0.0');

  // Whoever comes back is told of the last that was done, which was no update, and the line is not borrowed unasked.
  const asked = [];
  page.on('request', (request) => request.method() === 'POST' && request.url().endsWith('/jobs') && asked.push(request.postData()));
  await go(page, 'devices');
  const told = page.waitForResponse(/\/jobs\/[^/]+\/lines$/);
  await page.getByRole('link', { name: 'node' }).click();
  await told;
  await press('See what runs');
  await runs('A', '1.0.0');
  check((await panel.getByText('1.1.0 runs and is kept').count()) === 0, 'the update was taken back', await panel.innerText());
  check(asked.length === 1, 'only what was asked for', asked);

  await please('update it at the machine');
  await panel.getByRole('progressbar', { name: /^Sending/ }).waitFor();
  check((await panel.getByRole('button', { name: /^(Update|Back) to/ }).count()) === 0, 'nothing besides is begun', await panel.innerText());
  await picture(page, 'node-elsewhere');
  await press('Cancel');
  await please('see it end');
  check(page.troubles.length === 0, page.troubles);
});
