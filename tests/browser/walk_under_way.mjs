// The gateway was ended while an update was being installed, and started again: the page tells that it goes on, and offers the restart
// when it has come to its end.
import { axe, check, go, logIn, main, openPage, overflow, picture, please } from './browser.mjs';

const words = {
  en: { updates: 'Updates', goesOn: 'An update is being installed that somebody else began, or this gateway before its last start', install: 'Install another version', restart: 'Restart the machine' },
  de: { updates: 'Aktualisierung', goesOn: 'Eine Aktualisierung wird installiert, die jemand anderes begann, oder dieses Gateway vor seinem letzten Start', install: 'Eine andere Version installieren' },
};

async function told(browser, said, options) {
  const page = await openPage(browser, options);
  await logIn(page);
  await go(page, 'system');
  const panel = page.getByRole('region', { name: said.updates });
  await panel.getByText(said.goesOn).waitFor();
  check((await panel.getByText(said.install).count()) === 0, 'another one cannot be installed meanwhile');
  return { page, panel };
}

await main(async (browser) => {
  const german = await told(browser, words.de, { width: 360, language: 'de-DE' });
  await picture(german.page, 'under-way-de');
  check((await overflow(german.page)) <= 0, 'wider than the window by', await overflow(german.page));
  await german.page.context().close();
  const { page, panel } = await told(browser, words.en);
  const wrong = await axe(page);
  check(wrong.length === 0, wrong);
  await please('let it go on');
  await panel.getByRole('button', { name: words.en.restart }).waitFor({ timeout: 60_000 });
  check((await panel.getByText(words.en.goesOn).count()) === 0, 'it has come to its end');
  check(page.troubles.length === 0, 'troubles', page.troubles);
  console.log('under way, installed');
});
