// The page's words: every language has the same keys with the same places to fill in, every key is used, and there is
// no sentence in the code; no number parts from its unit; and every form of a sentence of the gateway that a language knows (said.LANGUAGE.json) is still
// one of the gateway's. Prints what is wrong, a line each; exit status 1 when something is.
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { page } from './page.mjs';
import { formsOf, sources } from './spoken.mjs';

const source = process.argv[2] ?? join(page, 'src');
const wrong = [];

const isSaid = (file) => file.startsWith('said.');
const texts = readdirSync(join(source, 'texts')).filter((file) => !isSaid(file)).map((file) => {
  const text = readFileSync(join(source, 'texts', file), 'utf8');
  const written = [...text.matchAll(/^\s*"([^"]+)":/gm)].map(([, key]) => key);
  written.filter((key, i) => written.indexOf(key) !== i).forEach((key) => wrong.push(`${file}: "${key}" is there twice`));
  return { file, words: JSON.parse(text) };
});
const first = texts.find(({ file }) => file === 'en.json');

/** What is the same for one and for many in every language: no noun follows its number. */
const COUNTLESS = new Set(['unit.min', 'report.delivered']);

/** A number and its unit never part at the end of a line. */
const PARTED = /\{\w+\} (?:ms|s|min|h|d|T|%|B)(?![\p{L}’'])/u;

const places = (sentence) => [...new Set(sentence.match(/\{\w+\}/g) ?? [])].sort().join(' ');
for (const { file, words } of texts) {
  for (const key of Object.keys(first.words)) if (!(key in words)) wrong.push(`${file}: "${key}" is missing`);
  for (const [key, sentence] of Object.entries(words)) {
    if (!(key in first.words)) wrong.push(`${file}: "${key}" is not in ${first.file}`);
    else if (places(sentence) !== places(first.words[key])) wrong.push(`${file}: "${key}" fills in ${places(sentence) || 'nothing'}, and ${first.file} ${places(first.words[key]) || 'nothing'}`);
    if (/\{(n|count|waited)\} \p{L}{3}/u.test(sentence) && !sentence.includes('|') && !COUNTLESS.has(key)) wrong.push(`${file}: "${key}" counts something, and has one form for one and many`);
    if (PARTED.test(sentence)) wrong.push(`${file}: "${key}" may break between a number and its unit: write \\u00a0`);
    if (!sentence.trim()) wrong.push(`${file}: "${key}" is empty`);
  }
}

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (['.ts', '.tsx'].includes(extname(entry.name))) yield path;
  }
}

// Words between tags, and in attributes that are read or seen. A sentence has at least two letters in a row.
const between = />([^<>{}=;()]*\p{L}{2}[^<>{}=;()]*)<\//gu;
const attribute = /\b(?:aria-label|title|label|placeholder|alt|hint|lead|why|next|word)="([^"]*\p{L}{2}[^"]*)"/gu;
let code = '';
for (const path of files(source)) {
  const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '').replace(/<code>[^<{]*<\/code>/g, '');
  code += text;
  if (extname(path) !== '.tsx') continue;
  if (/\} (?:\{[^}]*&& )?<span class="unit">/.test(text)) wrong.push(`${relative(source, path)}: a number may part from its unit at the end of a line: write &nbsp; between them`);
  for (const pattern of [between, attribute])
    for (const [, words] of text.matchAll(pattern)) wrong.push(`${relative(source, path)}: a sentence in the code: "${words.trim()}"`);
}

// Keys are written out, or made of a written beginning: t(`state.${level}`), told(`why.${why}`, …).
const beginnings = [...code.matchAll(/`([a-z][\w.-]*\.)\$\{/g)].map(([, beginning]) => beginning);
for (const key of Object.keys(first.words)) {
  const written = code.includes(`'${key}'`) || beginnings.some((beginning) => key.startsWith(beginning));
  if (!written) wrong.push(`${first.file}: "${key}" is not used`);
}

// The forms of the gateway's sentences are the texts of its source. Where one names the command that looks for devices, the
// page names its button that does.
const spoken = [...sources()].map((file) => formsOf(file.source).join('\n')).join('\n');
for (const file of readdirSync(join(source, 'texts')).filter(isSaid)) {
  const button = texts.find((language) => `said.${language.file}` === file).words['add.scan'];
  for (const [form, said] of Object.entries(JSON.parse(readFileSync(join(source, 'texts', file), 'utf8')))) {
    const places = form.split('{}').length - 1 - (/[“„](.*)[”“]/.exec(said)?.[1] === button);
    if (!spoken.includes(form.replace(/\{\}$/, ''))) wrong.push(`${file}: the gateway no longer says "${form}"`);
    if (!said.includes('{1}') && !said.includes('{2}') && said.split('{}').length - 1 !== places) wrong.push(`${file}: "${form}" has ${places} places to fill in, and "${said}" has others`);
  }
}

wrong.forEach((line) => console.log(line));
console.log(wrong.length ? `${wrong.length} wrong` : `ok: ${Object.keys(first.words).length} sentences in ${texts.length} languages`);
process.exit(wrong.length ? 1 : 0);
