// What the gateway says to people is said in every language of the page: each sentence in the files whose words reach the
// page is in said.LANGUAGE.json, or unsaid.json names it with the reason why it is not (said.en.json has what the page says otherwise than the gateway); and each cause of a broker's and each
// reason of a value has a word. Prints what is missing, a line each; exit status 1 when something is.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { need, page } from './page.mjs';
import { formsOf, root, sources } from './spoken.mjs';

need('esbuild');
const { packPhrases } = await import(join(page, 'build.mjs'));
const { build } = await import(join(page, 'node_modules/esbuild/lib/main.js'));
const folder = mkdtempSync(join(tmpdir(), 'sluice-said-'));
await build({
  stdin: { contents: "export * from './src/lib/phrases.ts'; export { optionsOf } from './src/api/options.ts';", resolveDir: page },
  bundle: true, format: 'esm', outfile: join(folder, 'said.mjs'), logLevel: 'error',
});
globalThis.navigator ??= {};
globalThis.addEventListener = () => {};
const { learn, phrase, optionsOf } = await import(pathToFileURL(join(folder, 'said.mjs')).href);
rmSync(folder, { recursive: true });

const texts = join(page, 'src/texts');
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const { heard, unsaid } = readJson(new URL('./unsaid.json', import.meta.url));
const translations = readdirSync(texts).filter((name) => name.startsWith('said.'));
const wrong = [];

/** What is told to a person has at least two words, the first of them longer than a letter. */
const isSentence = (form) => /\p{Ll}{2,} \p{L}/u.test(form.replaceAll('{}', 'x'));

/** The log is for whoever looks after the machine, in the language of its source; what a program asks wrongly, too. */
const spokenIn = (source) => source.replace(/\blog_(?:debug|info|warn|error)\([\s\S]*?\);|^#include.*$|\b_?[sS]tatic_assert\([\s\S]*?\);/gm, ' ');
const isForPrograms = (form) => /\bexpected\b/.test(form);

const files = heard.map((pattern) => new RegExp(`^${pattern}$`));
const excused = new Map(unsaid.flatMap(({ forms }) => forms.map((form) => [form, false])));
const spoken = new Map();
for (const { path, source } of sources())
  if (files.some((pattern) => pattern.test(path)))
    for (const form of formsOf(spokenIn(source))) if (isSentence(form) && !isForPrograms(form)) spoken.set(form, path);
/** What the configuration's own schema says of each option, and of what may be chosen there: the page shows it in Settings, unless it has a hint of its own. */
const words = readJson(join(texts, 'en.json'));
const schema = readJson(join(root, 'docs/config.schema.json'));
const drivers = schema.properties.buses.items.properties.driver.enum;
for (const kind of ['buses', 'devices', 'points', 'uplinks', 'gateway', 'journal', 'defaults', 'web'])
  for (const driver of drivers)
    for (const [key, { description = '' }] of optionsOf(schema, kind, driver)) {
      const [first, ...choices] = description.split('\n');
      const isHinted = `option.${kind}.${key}.hint` in words || `option.${key}.hint` in words;
      const shown = [...(isHinted ? [] : [first]), ...choices.map((line) => line.replace(/^[^:]*: /, ''))];
      for (const form of shown) if (isSentence(form)) spoken.set(form, `docs/config.schema.json: ${kind}.${key}`);
    }
heard.forEach((pattern, i) => {
  if (![...spoken.values()].some((path) => files[i].test(path))) wrong.push(`unsaid.json: nothing is said in "${pattern}"`);
});

for (const file of translations.filter((name) => name !== 'said.en.json')) {
  const said = readJson(join(texts, file)), begun = new Set(Object.keys(said).map((form) => form.replace(/\{\}$/, '')));
  for (const [form, path] of spoken) {
    if (excused.has(form)) excused.set(form, true);
    else if (!(form in said) && !begun.has(form)) wrong.push(`${file} has no "${form}" (${path}); where it is not for people, unsaid.json tells why`);
  }
}
for (const [form, met] of excused) if (!met) wrong.push(`unsaid.json: the gateway no longer says "${form}"`);

/** The page's own words for what the gateway tells by a name. */
const named = (key, what) => key in words || wrong.push(`en.json: "${key}" is missing: ${what}`);
const table = readFileSync(join(root, 'gateway/core/status.h'), 'utf8');
for (const [, name] of table.matchAll(/X\(\w+, 0x[48C]\w+, "([^"]+)"/g)) named(`why.${name}`, 'a value can be bad for that');
const NEVER_TOLD = new Set(['again', 'full', 'invalid', 'refused']); // what is refused is told by its state
const causes = [...sources()].filter(({ path }) => /^gateway\/(tls\/(tunnel|prepare|verify|context|tls|proxy|carry)|uplink\/(connection|reason|client|proof|mqtt)|daemon\/unstarted)\.c$/.test(path));
for (const cause of new Set(causes.flatMap(({ source }) => [...source.matchAll(/\bERR_(?!PK_|SSL_)([A-Z_]+)/g)].map(([, name]) => name.toLowerCase()))))
  if (!NEVER_TOLD.has(cause)) named(`uplink.cause.${cause}`, 'a broker can be away for that');

// What is loaded of the English is no more than each sentence is found by: each must be found as if it were all there, and
// what is not told in that language must be taken for nothing that is.
const FILLINGS = ['main incomer', '127.0.0.1', '8883', '2026-11-27', 'a: b', '/var/lib/x', '12'];
const filled = (form) => form.split('{}').reduce((text, words, i) => `${text}${FILLINGS[(i - 1) % FILLINGS.length]}${words}`);
/** What devices and their values are called in the library, which is shown as it is. */
const profiles = join(root, 'drivers/profiles');
const names = new Set(readdirSync(profiles).filter((name) => name.endsWith('.json')).flatMap((name) => {
  const { vendor, model, name: title, points = [] } = readJson(join(profiles, name));
  return [vendor, model, title, ...points.flatMap((point) => [point.name, ...Object.values(point.enum ?? {})])];
}).filter((name) => name && isSentence(name)));
const every = new Set([...sources()].flatMap(({ source }) => formsOf(source)).filter(isSentence).map(filled));
for (const file of translations) {
  const said = readJson(join(texts, file));
  const told = [Infinity, undefined].map((kept) => {
    learn(packPhrases(said, kept));
    return new Map([...every].map((sentence) => [sentence, phrase(sentence)]));
  });
  for (const sentence of every)
    if (told[0].get(sentence) !== told[1].get(sentence)) wrong.push(`${file}: "${sentence}" is told as "${told[1].get(sentence)}" by what is loaded, and is "${told[0].get(sentence)}"`);
  for (const name of names) if (!(name in said) && phrase(name) !== null) wrong.push(`${file}: the name "${name}" of the library is told as "${phrase(name)}"`);
  for (const [form, text] of Object.entries(said)) if (!form.includes('{}') && phrase(form) !== text) wrong.push(`${file}: "${form}" is not found`);
}

wrong.forEach((line) => console.log(line));
console.log(wrong.length ? `${wrong.length} wrong` : `ok: ${spoken.size} sentences of ${heard.length} places`);
process.exit(wrong.length ? 1 : 0);
