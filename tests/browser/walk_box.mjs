// A gateway that came as an image: the card is in another board, and the question of that comes first; then an update that
// is refused with its reason, one that is installed, and the way back.
import { axe, check, go, logIn, main, openPage, overflow, picture } from './browser.mjs';

const { SLUICE_FOREIGN: foreign, SLUICE_BUNDLE: bundle } = process.env;

const words = {
  en: {
    asked: 'This gateway is on another machine than before.', replaced: 'It was replaced', updates: 'Updates', install: 'Install another version',
    foreign: 'This bundle is signed by a key that is not trusted here', unchanged: 'The system that runs is as it was.',
    installed: 'Version 1.1.0 is installed.', back: 'Take the update back', url: 'Or its address',
  },
  de: {
    asked: 'Dieses Gateway läuft auf einem anderen Gerät als zuvor.', updates: 'Aktualisierung', install: 'Eine andere Version installieren',
    foreign: 'Dieses Paket ist mit einem Schlüssel signiert, dem hier nicht vertraut wird', unchanged: 'Das laufende System ist, wie es war.',
  },
};

async function step(page, name) {
  await picture(page, name);
  check((await overflow(page)) <= 0, name, 'wider than the window by', await overflow(page));
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

async function refused(page, said) {
  const panel = page.getByRole('region', { name: said.updates });
  await panel.getByText(said.install).click();
  await panel.locator('input[type=file]').setInputFiles(foreign);
  await panel.getByText(said.foreign).waitFor();
  await panel.getByText(said.unchanged).waitFor();
  return panel;
}

async function inGerman(browser) {
  const page = await openPage(browser, { width: 360, scheme: 'dark', language: 'de-DE' });
  await logIn(page);
  await page.getByText(words.de.asked).first().waitFor();
  await step(page, 'box-asked-de');
  await go(page, 'system');
  await refused(page, words.de);
  await step(page, 'box-refused-de');
  await page.context().close();
}

await main(async (browser) => {
  await inGerman(browser);
  const said = words.en;
  const page = await openPage(browser);
  await logIn(page);
  await page.getByText(said.asked).first().waitFor();
  await go(page, 'system');
  await step(page, 'box-asked');
  await page.getByRole('button', { name: said.replaced }).click();
  await page.locator('.sure .danger').click();
  await page.getByText(said.asked).first().waitFor({ state: 'detached' });

  const panel = await refused(page, said);
  await step(page, 'box-refused');
  await panel.locator('input[type=file]').setInputFiles(bundle);
  await panel.getByText(said.installed).waitFor({ timeout: 60_000 });
  check(await panel.getByText('1.1.0', { exact: false }).first().isVisible(), 'its version');
  await step(page, 'box-installed');
  await panel.getByRole('button', { name: said.back }).click();
  await panel.locator('.sure .danger').click();
  await panel.getByRole('button', { name: said.back }).waitFor({ state: 'detached' });
  await panel.getByText(said.install).click();
  await panel.getByLabel(said.url).fill('https://127.0.0.1:9/none.raucb');
  await panel.getByRole('button', { name: 'Get and install' }).click();
  await panel.getByText('The bundle could not be downloaded', { exact: false }).waitFor({ timeout: 30_000 });
  check(page.troubles.length === 0, 'troubles', page.troubles);
  console.log('asked, refused, installed, taken back');
});
