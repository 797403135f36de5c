// The gateway's own words, in German as well: who did what, why a broker is not reached, what goes over a line.
import { address, axe, check, go, logIn, main, openPage, picture } from './browser.mjs';

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

async function step(page, name) {
  await picture(page, `words-${name}`);
  const wrong = await axe(page);
  check(wrong.length === 0, name, wrong);
}

async function happened(page) {
  // The list is of the moment in which it was asked for: what has just happened may not be stored by then.
  await go(page, 'history/events');
  for (let tries = 0; tries < 20 && !(await page.getByText('angemeldet').count()); tries++) {
    await page.reload();
    await page.getByText(/gestartet, Version/).waitFor();
  }
  await page.getByText('angemeldet').first().waitFor();
  await page.getByText(/gestartet, Version/).waitFor();
  await page.getByText(/gelernt, wie es antwortet: nach/).first().waitFor();
  const raw = (await page.locator('.log-words').allInnerTexts()).filter((words) => /did=|learnt=|answers_us/.test(words));
  check(raw.length === 0, 'words for programs are shown to people', raw);
  await step(page, 'events');
}

async function wayToABroker(page) {
  await go(page, 'uplinks/away');
  await page.getByText('nicht erreichbar', { exact: true }).first().waitFor();
  await page.getByText(/lauscht nichts: prüfen, ob der Broker läuft/).first().waitFor();
  await press(page, 'Untersuchen');
  await page.getByText(/^Es scheitert an/).waitFor({ timeout: 30_000 });
  check((await page.locator('.doctor-step', { hasText: 'Netzwerkschnittstelle' }).innerText()).includes('nicht nötig'), 'a broker on this machine needs no interface');
  check((await page.locator('.doctor-step', { hasText: 'Anmeldung beim Broker' }).innerText()).includes('nicht versucht'), 'what is behind the failing step');
  const english = await page.locator('.doctor [lang=en]').allInnerTexts();
  check(english.length === 0, 'steps that are not told in German', english);
  await step(page, 'doctor');
}

async function jobsAreNamed(page) {
  await go(page, 'history/events');
  for (let tries = 0; tries < 20 && !(await page.getByText('Aufgabe gestartet: Untersuchen (away)').count()); tries++) {
    await page.reload();
    await page.getByText(/gestartet, Version/).waitFor();
  }
  await page.getByText('Aufgabe gestartet: Untersuchen (away)').first().waitFor();
  check(!(await page.getByText('--json').count()), 'lines for programs are shown to people');
}

/** What a device does not let be read: once, and in the page's language. */
async function refusal(page) {
  await go(page, 'devices');
  const row = page.locator('.device-row', { hasText: 'Kessel' });
  await row.getByText(/^1 von \d+ nicht gut$/).waitFor();
  check(await row.locator('.is-look').count() === 2, 'by shape and colour, too', await row.innerHTML());
  check(await page.locator('.device-row', { hasText: 'Main incomer' }).getByText('läuft').isVisible(), 'the others work');
  await page.getByLabel('Zeigen').selectOption('look');
  await page.locator('.device-row', { hasText: 'Main incomer' }).waitFor({ state: 'detached' });
  check(await row.isVisible(), 'it is one with troubles');
  await go(page, 'devices/boiler');
  const refused = page.locator('.refused li', { hasText: 'absent' });
  await refused.getByText('kein solches Register (Ausnahme 2)').waitFor();
  check(!/the device/.test(await refused.innerText()), 'English', await refused.innerText());
}

async function line(page) {
  await go(page, 'devices/incomer');
  await press(page, 'Mithören');
  await page.getByText(/fragt Nummer 1: Holding-Register lesen ab \d+/).first().waitFor({ timeout: 20_000 });
  await page.getByText(/Nummer 1 antwortet: -?\d+/).first().waitFor();
  await step(page, 'frames');
  await press(page, 'Halt');
  await press(page, 'Bytes');
  await press(page, 'Mithören');
  await page.locator('.trace-received').first().waitFor({ timeout: 20_000 });
}

/** Every setting there is says what it means, and what is no JSON where it is none. */
async function settings(page) {
  for (const place of ['uplinks/cloud', 'buses/rs485-1', 'devices/boiler']) {
    await go(page, `${place}/settings`);
    const more = page.getByLabel('Weitere Einstellung');
    await more.waitFor();
    while (await more.count()) await more.selectOption({ index: 1 });
    const english = await page.locator('.hint [lang=en]').allInnerTexts();
    check(english.length === 0, 'settings that are explained in English', place, english);
    const choices = (await page.locator('option').allTextContents()).filter((words) => /: .*\b(?:the|with|without|first|swapped|as)\b/.test(words));
    check(choices.length === 0, 'choices that are explained in English', place, choices);
  }
  await page.getByText(/wer den Sender der Leitung|ob das Gerät bei jeder Rückkehr gefragt wird/i).first().waitFor();
  await step(page, 'settings');
  await go(page, 'system');
  await page.getByLabel('Wiederherstellen').setInputFiles({ name: 'template.json', mimeType: 'application/json', buffer: Buffer.from('{"version": 1\n"gateway": {"id": "template"}}') });
  await page.getByRole('alert').getByText('Hier fehlt ein Komma').waitFor();
}

/** Two languages chosen faster than their words come: the last choice counts, not the last to arrive. */
async function changesItsMind(browser) {
  const page = await openPage(browser);
  const held = [];
  await page.goto(address);
  await page.getByLabel(/^Name/).waitFor();
  const asked = new Promise((came) => page.route(/\/assets\/german[^/]*\.js/, (route) => held.push(route) && came()));
  await page.getByRole('button', { name: 'Deutsch' }).click();
  await asked;
  await page.getByRole('button', { name: 'English' }).click();
  await page.locator('button[lang=en][aria-pressed=true]').waitFor();
  for (const route of held) await route.continue();
  // They are there for this script after they were for the page.
  for (const route of held) await page.evaluate((url) => import(url), route.request().url());
  check((await page.evaluate(() => document.documentElement.lang)) === 'en', 'the language that was chosen last');
  await page.context().close();
}

await main(async (browser) => {
  await changesItsMind(browser);
  const page = await openPage(browser, { width: 360, language: 'de-DE' });
  await logIn(page);
  for (const part of [happened, wayToABroker, jobsAreNamed, refusal, line, settings]) await part(page);
  // The account speaks German from now on, in a browser that does not.
  const other = await openPage(browser, { width: 1440 });
  other.language = 'de';
  await logIn(other);
  await other.getByRole('link', { name: 'Übersicht' }).waitFor();
  check(page.troubles.length === 0, page.troubles);
});
