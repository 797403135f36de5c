// Builds the page and writes its files as C: node embed.mjs PAGE_FOLDER BUILD_FOLDER OUT.c
import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  txt: 'text/plain; charset=utf-8',
  webmanifest: 'application/manifest+json',
  woff2: 'font/woff2',
};

async function filesBelow(folder) {
  const files = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    files.push(...(entry.isDirectory() ? await filesBelow(path) : [path]));
  }
  return files.sort();
}

function hexLines(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 32) lines.push('    ' + [...bytes.subarray(at, at + 32)].join(','));
  return lines.join(',\n');
}

function asset(folder, file, index) {
  const name = relative(folder, file);
  const path = name === 'index.html' ? '/' : `/${name}`;
  const type = TYPES[name.split('.').pop()];
  if (!type) throw new Error(`${name}: no content type is known for files of this kind: add it to embed.mjs`);
  const bytes = pack(file);
  const tag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return {
    data: `static const unsigned char bytes_${index}[] = {\n${hexLines(bytes)}};\n`,
    row: `    {"${path}", "${type}", "\\"${tag}\\"", true, bytes_${index}, sizeof bytes_${index}},\n`,
    size: bytes.length,
  };
}

const [page, folder, out] = process.argv.slice(2);
const { build } = await import(pathToFileURL(join(page, 'build.mjs')));
const { pack } = await import(pathToFileURL(join(page, 'pack.mjs')));
await build(false, folder);
const assets = (await filesBelow(folder)).map((file, index) => asset(folder, file, index));
await writeFile(
  out,
  '/* Made by embed.mjs of the files of the page. */\n#include "web/assets_inside.h"\n\n' +
    assets.map((one) => one.data).join('\n') +
    `\nconst struct asset assets_list[] = {\n${assets.map((one) => one.row).join('')}    {0},\n};\n`,
);
console.log(`page: ${assets.length} files, ${assets.reduce((sum, one) => sum + one.size, 0)} bytes compressed`);
