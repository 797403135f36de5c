// The board that the gateway runs on: its drawing, its ports by the labels on the housing, its lights; and the QR code of a label.
import { address, axe, check, go, logIn, main, openPage, overflow, picture } from './browser.mjs';

const drawn = (page) => page.waitForFunction(() => {
  const drawing = document.querySelector('.board-drawing');
  return drawing && drawing.complete && drawing.naturalWidth > 0;
});

/** What the drawing is made of, as the page has put it together. */
const source = (page) => page.locator('.board-drawing').first().evaluate((image) => decodeURIComponent(image.src));

async function look(browser, { language, lights, steady, wired, scheme }) {
  const page = await openPage(browser, { width: 360, language, scheme });
  await logIn(page);
  await go(page, 'system');
  const panel = page.locator('.panel', { has: page.getByRole('heading', { name: 'Orange Pi Zero', exact: true }) });
  await panel.waitFor();
  await drawn(page);
  await panel.getByRole('heading', { name: lights }).waitFor();
  check((await panel.textContent()).includes(steady), 'what a light means', await panel.textContent());
  const drawing = await source(page);
  check(drawing.includes('@media all') === (scheme === 'dark'), 'the colours of the page');
  check(drawing.includes('systemLanguage="zxx"') === (language === 'en-GB'), 'the language of the page');
  check((await axe(page)).length === 0, 'the board', await axe(page));
  check((await overflow(page)) <= 0, 'wider than the window by', await overflow(page));
  await panel.scrollIntoViewIfNeeded();
  await picture(page, `board-system-${language}`);

  await go(page, 'buses');
  await page.getByText(wired).click();
  await drawn(page);
  await picture(page, `board-buses-${language}`);

  await go(page, 'devices/ghost');
  await page.getByText(wired).click();
  await drawn(page);
  check((await axe(page)).length === 0, 'the device', await axe(page));
  check(page.troubles.length === 0, page.troubles);
  await page.context().close();
}

await main(async (browser) => {
  await look(browser, { language: 'en-GB', scheme: 'light', lights: 'Its lights', steady: 'steady: the kernel runs', wired: 'How it is wired' });
  await look(browser, { language: 'de-DE', scheme: 'dark', lights: 'Seine Lampen', steady: 'leuchtet: der Kernel läuft', wired: 'Wie es angeschlossen wird' });
  check(address.startsWith('https://'), 'over TLS', address);
});
