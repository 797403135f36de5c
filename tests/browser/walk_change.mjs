// A technician on a phone: adds a device that a scan or the library knows, sees its values, keeps the change; makes
// another change, lets it go back; and is told of mistakes before anything changes.
import { axe, check, go, logIn, main, openPage, overflow, picture, please } from './browser.mjs';

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

async function addByTable(page) {
  await go(page, 'devices/+');
  await page.getByLabel('Line or port').selectOption('bus/hall');
  await page.getByRole('button', { name: /^From a table/ }).click();
  await page.getByLabel('Unit number').fill('1');
  await page.getByLabel('Table', { exact: true }).fill('id;name;reg;type;unit;scale\nflow;Flow;12;i16;m3/h;0.1\nlevel;Level;13;u16;%;1');
  await press(page, 'Take 2 points');
  await page.getByLabel('Name', { exact: true }).fill('Überlauf Halle 3');
  check((await page.getByLabel('Id', { exact: true }).inputValue()) === 'ueberlauf-halle-3', 'the id made of the name');
  check((await axe(page)).length === 0, 'adding a device', await axe(page));
  await picture(page, 'add-device');
  await press(page, 'See what changes');
  await page.waitForSelector('.difference');
  check((await axe(page)).length === 0, 'the review', await axe(page));
  await picture(page, 'review');
  await press(page, 'Apply on trial');
  await page.waitForSelector('.change-bar');
}

/** The figure of a fact, as it is shown now. */
const fact = (page, name) => page.locator('dt', { hasText: name }).last().locator('xpath=following-sibling::dd').textContent();

/** How long an outage the journal holds is the same wherever it is shown. */
async function oneFigure(page) {
  const lasts = 'Holds an outage of', figures = [];
  await page.waitForSelector('dialog .facts');
  figures.push(await fact(page, lasts));
  await press(page, 'Cancel');
  for (const [place, ready] of [['', '.journal-facts'], ['system', '.facts']]) {
    await go(page, place);
    await page.locator(ready, { hasText: lasts }).waitFor();
    figures.push(await fact(page, lasts));
  }
  check(new Set(figures).size === 1 && /\d/.test(figures[0]), 'one figure', figures);
}

/** An edit of the file, past the page: it is told with what it changes, and what was kept of it can be removed. */
async function editedByHand(page) {
  const panel = page.getByRole('region', { name: 'Changes' });
  await please('edit the file by hand');
  await go(page, 'system');
  await page.reload();
  await panel.getByText('The file was edited by hand, and that is not in force yet.').waitFor();
  await panel.locator('.notice summary').click();
  await panel.locator('.notice .added', { hasText: 'By hand' }).waitFor();
  check((await axe(page)).length === 0, 'edited by hand', await axe(page));
  await picture(page, 'edited-waiting');
  await press(page, 'Go back');
  await page.getByText('The change went back.').waitFor();
  await panel.getByText('An edit by hand is not in force.').waitFor();
  await panel.locator('.notice summary').click();
  await panel.locator('.notice .added', { hasText: 'By hand' }).waitFor();
  await picture(page, 'edited-kept');
  check((await overflow(page)) <= 0, 'wider than the window by', await overflow(page));
  check((await axe(page)).length === 0, 'what was kept', await axe(page));
  await panel.getByRole('button', { name: /^Remove/ }).click();
  await panel.locator('.sure .danger').click();
  await panel.getByText('An edit by hand is not in force.').waitFor({ state: 'detached' });
}

/** Something was kept, and something else after it: what was kept first is there again, letter by letter. */
async function backToAnEarlierOne(page, name, before) {
  await please('remember the file');
  await name.fill('Another name');
  await press(page, 'Change');
  await press(page, 'Apply on trial');
  await page.waitForSelector('.change-bar');
  check((await page.getByRole('button', { name: /^Go back to this one/ }).count()) === 0, 'one change at a time');
  await press(page, 'Keep');
  await page.getByText('The change is kept.').waitFor();
  const kept = page.locator('.changes > li', { has: page.getByText('kept', { exact: true }) });
  await kept.filter({ hasText: 'Add a device' }).getByRole('button', { name: /^Go back to this one/ }).waitFor();
  check((await kept.first().getByRole('button').count()) === 0, 'what is in force is no way back');
  check((await axe(page)).length === 0, 'the changes', await axe(page));
  check((await overflow(page)) <= 0, 'wider than the window by', await overflow(page));
  await picture(page, 'changes');
  await kept.filter({ hasText: 'Add a device' }).getByRole('button', { name: /^Go back to this one/ }).click();
  const dialog = page.getByRole('dialog', { name: /^As it was from / });
  await dialog.locator('.difference li', { hasText: 'gateway.name' }).filter({ hasText: before }).waitFor();
  check((await dialog.locator('.difference li').count()) === 1, 'and nothing else', await dialog.locator('.difference').innerText());
  await picture(page, 'changes-back');
  await press(page, 'Apply on trial');
  await page.waitForSelector('.change-bar');
  await press(page, 'Keep');
  await kept.first().getByText('As it was from ').waitFor();
  await please('see the file as it was');
}

/** Somebody types while another's change of the same device comes to its end: what was typed stays, and is all that is changed. */
async function typesMeanwhile(page) {
  await go(page, 'devices/boiler/settings');
  const name = page.getByLabel('Name', { exact: true }), dialog = page.getByRole('dialog');
  await name.fill('Half typed');
  await please('change it from elsewhere');
  await page.getByText(/^A change by uid \d+ is on trial/).waitFor();
  await please('keep that change');
  await page.getByText(/^The change by uid \d+ is kept/).waitFor();
  await page.getByText('This was changed elsewhere meanwhile.').waitFor();
  check((await name.inputValue()) === 'Half typed', 'what was typed is gone', await name.inputValue());
  check((await page.getByLabel('Interval', { exact: true }).inputValue()) === '3s', 'what is not typed is as it is now');
  check((await axe(page)).length === 0, 'changed meanwhile', await axe(page));
  await picture(page, 'changed-meanwhile');
  await press(page, 'See what changes');
  await dialog.locator('.difference li').first().waitFor();
  const changes = await dialog.locator('.difference li').allInnerTexts();
  check(changes.length === 1 && /name/.test(changes[0]), 'no more than was typed', changes);
  await press(page, 'Cancel');
  await name.fill('Kessel');
  await page.getByText('This was changed elsewhere meanwhile.').waitFor({ state: 'detached' });
}

await main(async (browser) => {
  const page = await openPage(browser, { width: 360 });
  await logIn(page);
  await typesMeanwhile(page);

  await addByTable(page);
  await page.getByRole('link', { name: 'See its values' }).click();
  await page.waitForFunction(() => [...document.querySelectorAll('.device-point .value-number')].filter((node) => /\d/.test(node.textContent)).length === 2);
  check((await axe(page)).length === 0, 'on trial', await axe(page));
  await picture(page, 'on-trial');
  await press(page, 'Keep');
  await page.waitForSelector('.change-bar', { state: 'detached' });
  await page.getByText('The change is kept.').waitFor();

  await go(page, 'system');
  await page.getByLabel('Time zone').waitFor(); // Until that form is there, the first name is a hidden one: that of a new account.
  const name = page.locator('form').getByLabel('Name', { exact: true }).first();
  const before = await name.inputValue();
  const rename = async () => {
    await name.fill('Another name');
    await press(page, 'Change');
  };
  await rename();
  await oneFigure(page);
  await page.reload();
  await page.getByLabel('Time zone').waitFor();
  await rename();
  await page.getByText('Another name', { exact: true }).last().waitFor();
  await press(page, 'Apply on trial');
  await page.waitForSelector('.change-bar');
  await editedByHand(page);
  await page.reload();
  await page.waitForFunction((wanted) => [...document.querySelectorAll('form input')].some((input) => input.value === wanted), before);

  await backToAnEarlierOne(page, name, before);

  await page.getByLabel('Time zone').fill('Nowhere/At all');
  await press(page, 'Change');
  await page.locator('dialog [role=alert]').waitFor();
  check(await page.getByRole('button', { name: 'Apply on trial' }).count() === 0, 'a mistake cannot be applied');
  check(page.troubles.length === 0, page.troubles);
  console.log('kept, gone back, told');
});
