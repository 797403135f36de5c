// Builds the page into dist/: index.html, and beside it assets/ whose names carry a hash of what is in them, so that
// they may be cached for ever. `build(true)` leaves the code readable.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';
import { lighter } from './chart.mjs';

const here = dirname(fileURLToPath(import.meta.url));

async function writeHashed(folder, source) {
  const bytes = await readFile(source);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase();
  const [name, kind] = basename(source).split('.');
  const file = `${name}-${hash}.${kind}`;
  await writeFile(join(folder, file), bytes);
  return file;
}

async function* sources(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.tsx?$/.test(entry.name)) yield path;
  }
}

const readJson = async (path) => JSON.parse(await readFile(path, 'utf8'));

/** Sentences that begin alike stand together, which is less to load. */
const alike = (sentences) => Object.entries(sentences).sort(([, a], [, b]) => (a < b ? -1 : 1));

/** A sentence by a number in its place: as in src/lib/phrases.ts. */
function markOf(sentence) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < sentence.length; i++) hash = Math.imul(hash ^ sentence.charCodeAt(i), 0x01000193);
  return hash >>> 2;
}

/** Rising numbers, each by how much it is more than the one before it: five digits of base 64, the first digits of all before the second ones, as they are alike. */
function packMarks(marks) {
  const gaps = marks.map((mark, i) => mark - (marks[i - 1] ?? 0));
  const digit = (gap, place) => Math.floor(gap / 64 ** (4 - place)) % 64;
  const letter = (digit) => String.fromCharCode(digit + (digit > 56 ? 36 : 35)); // no quote and no backslash
  return [0, 1, 2, 3, 4].map((place) => gaps.map((gap) => letter(digit(gap, place))).join('')).join('');
}

/** So many letters of what stands between two places to fill in are enough to find it, with how many there are. */
const KEPT = 4, LAST = 5;

function shortened(form, kept) {
  if (form.includes('~')) throw new Error(`"~" stands for what is left out, and is in "${form}"`);
  return form.split('{}').map((words) => (words.length > kept + LAST + 3 ? `${words.slice(0, kept)}~${words.length}~${words.slice(-LAST)}` : words)).join('{}');
}

/**
 * What the gateway says: of a sentence where nothing is filled in the English is not loaded, but found by its mark; and of
 * other English no more than it is found by. One word is loaded as it is: an id may look like it, and is not to have its
 * mark. tests/browser/check_said.mjs sees that each is found, and nothing else is taken for it.
 */
export function packPhrases(phrases, kept = KEPT) {
  const isWhole = ([form]) => !form.includes('{}') && /\p{L} /u.test(form);
  const all = alike(phrases), whole = all.filter(isWhole).sort(([a], [b]) => markOf(a) - markOf(b)), forms = all.filter((one) => !isWhole(one));
  const marks = whole.map(([form]) => markOf(form));
  const twice = marks.findIndex((mark, i) => mark === marks[i + 1]);
  if (twice >= 0) throw new Error(`two sentences have one mark: "${whole[twice][0]}" and "${whole[twice + 1][0]}"`);
  return [packMarks(marks), whole.map(([, text]) => text), forms.map(([form]) => shortened(form, kept)), forms.map(([, text]) => text)];
}

/** The names of colours and distances, long for those who write styles, are a letter in what is loaded: "--step-2" is "--b". */
const tokens = {
  short: new Map(),
  async load() {
    const names = (await readFile(join(here, 'src/styles/tokens.css'), 'utf8')).match(/--[a-z][\w-]*(?=:)/g);
    this.short = new Map([...new Set(names)].map((name, i) => [name, `--${String.fromCharCode((i < 26 ? 97 : 39) + i)}`]));
  },
  replaced(text, form) {
    return text.replace(form, (name) => this.short.get(name) ?? name);
  },
};

/** Sorted names, each by how many letters it begins with of the one before it, and the rest: "0uplink.away|7unproven". */
function frontCoded(names) {
  let before = '';
  return names.map((name) => {
    let same = 0;
    while (same < 35 && same < before.length && name[same] === before[same]) same++;
    before = name;
    return same.toString(36) + name.slice(same);
  }).join('|');
}

/**
 * The names of the page's sentences are long for those who write them and short in what is loaded: one that is written
 * out in the code becomes its number, and only those that are put together at run time (`why.${why}`) are kept. All
 * languages have the same: the names are in the code (src/lib/names.ts), and of each language its sentences in their order.
 */
const languages = {
  name: 'languages',
  setup({ onStart, onLoad }) {
    const texts = join(here, 'src/texts');
    let written = [], made = [], short = new Map();
    onStart(async () => {
      await tokens.load();
      let code = '';
      for await (const path of sources(join(here, 'src'))) code += await readFile(path, 'utf8');
      const beginnings = [...code.matchAll(/`([a-z][\w.-]*\.)\$\{/g)].map(([, beginning]) => beginning);
      const keys = alike(await readJson(join(texts, 'en.json'))).map(([key]) => key);
      made = keys.filter((key) => beginnings.some((beginning) => key.startsWith(beginning))).sort();
      written = keys.filter((key) => !made.includes(key));
      short = new Map(written.map((key, i) => [key, i]));
    });
    onLoad({ filter: /lib\/names\.ts$/ }, () => ({
      contents: `let name = '';
const names = ${JSON.stringify(frontCoded(made))}.split('|').map((word) => (name = name.slice(0, parseInt(word[0], 36)) + word.slice(1)));
export function named(sentences) {
  names.forEach((name, i) => (sentences[name] = sentences[${written.length} + i]));
  return sentences;
}`,
      loader: 'js',
    }));
    onLoad({ filter: /src\/.*\.css$/ }, async ({ path }) => ({ contents: tokens.replaced(await readFile(path, 'utf8'), /--[a-z][\w-]*/g), loader: 'css' }));
    onLoad({ filter: /\.tsx?$/ }, async ({ path }) => ({
      contents: (path.endsWith('x') ? "import { Fragment, h } from 'preact'; " : '') + tokens.replaced(await readFile(path, 'utf8'), /(?<=')--[a-z][\w-]*(?=')/g).replace(/'([\w.-]+)'/g, (whole, key) => short.get(key) ?? whole),
      loader: path.endsWith('x') ? 'tsx' : 'ts',
    }));
    onLoad({ filter: /texts\/said\.[a-z]+\.json$/ }, async ({ path }) => ({ contents: JSON.stringify(packPhrases(await readJson(path))), loader: 'json' }));
    onLoad({ filter: /texts\/[a-z]+\.json$/ }, async ({ path }) => {
      const words = await readJson(path);
      return { contents: `export default ${JSON.stringify([...written, ...made].map((key) => words[key]))};`, loader: 'js' };
    });
  },
};

/** The chart without what of uPlot is not used. */
export const chart = {
  name: 'chart',
  setup({ onLoad }) {
    onLoad({ filter: /uPlot\.esm\.js$/ }, async ({ path }) => ({ contents: lighter(await readFile(path, 'utf8')), loader: 'js' }));
  },
};

/** Returns the folder that was written. */
export async function build(readable = false, folder = join(here, 'dist')) {
  const assets = join(folder, 'assets');
  await rm(folder, { recursive: true, force: true });
  await mkdir(assets, { recursive: true });
  const result = await bundle({
    absWorkingDir: here,
    entryPoints: { app: 'src/main.tsx' },
    outdir: assets,
    bundle: true,
    format: 'esm',
    splitting: true,
    minify: !readable,
    sourcemap: readable ? 'inline' : false,
    target: 'es2020',
    // Shorter than what the types are checked with ("react-jsx"), and the same to Preact.
    tsconfigRaw: { compilerOptions: { target: 'es2020', jsx: 'react', jsxFactory: 'h', jsxFragmentFactory: 'Fragment' } },
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    legalComments: 'none',
    charset: 'utf8',
    metafile: true,
    plugins: [languages, chart],
    logLevel: 'error',
  });
  const stray = Object.keys(result.metafile.outputs).filter((name) => name.endsWith('.css')).slice(1);
  if (stray.length) throw new Error('a style that nothing would load: name it in src/styles/index.css instead of importing it');
  const entry = Object.entries(result.metafile.outputs).find(([, output]) => output.entryPoint === 'src/main.tsx');
  const named = { '%SCRIPT%': basename(entry[0]), '%STYLE%': basename(entry[1].cssBundle) };
  named['%ICON%'] = await writeHashed(assets, join(here, 'src/icon.svg'));
  let page = await readFile(join(here, 'src/index.html'), 'utf8');
  for (const [mark, name] of Object.entries(named)) page = page.replaceAll(mark, `/assets/${name}`);
  await writeFile(join(folder, 'index.html'), page);
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = await build(process.argv.includes('--readable'));
  console.log(`wrote ${relative(process.cwd(), folder)}`);
}
