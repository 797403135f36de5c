// Builds the page into dist/: index.html, and beside it assets/ whose names carry a hash of what is in them, so that
// they may be cached for ever. `build(true)` leaves the code readable.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

async function writeHashed(folder, source) {
  const bytes = await readFile(source);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase();
  const [name, kind] = basename(source).split('.');
  const file = `${name}-${hash}.${kind}`;
  await writeFile(join(folder, file), bytes);
  return file;
}

/** All languages have the same keys: these are loaded once, and of each language its sentences in their order. */
const languages = {
  name: 'languages',
  setup({ onResolve, onLoad }) {
    const keys = join(here, 'src/texts/en.json');
    onResolve({ filter: /^texts:keys$/ }, () => ({ path: keys, namespace: 'keys' }));
    onLoad({ filter: /./, namespace: 'keys' }, async ({ path }) => ({ contents: JSON.stringify(Object.keys(JSON.parse(await readFile(path, 'utf8')))), loader: 'json', watchFiles: [path] }));
    onLoad({ filter: /texts\/[a-z]+\.json$/ }, async ({ path }) => {
      const [order, words] = (await Promise.all([readFile(keys, 'utf8'), readFile(path, 'utf8')])).map(JSON.parse);
      const sentences = JSON.stringify(Object.keys(order).map((key) => words[key]));
      return { contents: `import keys from 'texts:keys';\nconst sentences = ${sentences};\nexport default Object.fromEntries(keys.map((key, i) => [key, sentences[i]]));`, loader: 'js' };
    });
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
    jsx: 'automatic',
    jsxImportSource: 'preact',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    legalComments: 'none',
    metafile: true,
    plugins: [languages],
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
