// What the gateway's source says: the forms of its sentences, with {} for what printf fills in.
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { page } from './page.mjs';

export const root = join(page, '../../..');

function* cFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !['page', 'node_modules'].includes(entry.name)) yield* cFiles(path);
    else if (['.c', '.h'].includes(extname(entry.name))) yield path;
  }
}

/** The texts of a piece of source, joined as the compiler joins them. */
export function formsOf(source) {
  const joined = /(?:(?:"(?:[^"\\\n]|\\.)*"|\bPRI[a-zA-Z]\w+)\s*)+/g;
  return [...source.matchAll(joined)].map(([run]) => [...run.matchAll(/"((?:[^"\\\n]|\\.)*)"|\b(PRI\w+)/g)].map(([, words, macro]) => (macro ? 'd' : words)).join('')
    .replace(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter)).replace(/%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|z|j)?[a-zA-Z]/g, '{}').replace(/%%/g, '%'));
}

/** "comments begin with /*" is no comment. */
const uncommented = (source) => source.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+'|\/\*[\s\S]*?\*\//g, (found) => (found.startsWith('/') ? ' ' : found));

/** Each file of the gateway and its drivers: its path from the root, and its source without comments. */
export function* sources() {
  for (const folder of ['gateway', 'drivers'])
    for (const path of cFiles(join(root, folder)))
      yield { path: relative(root, path), source: uncommented(readFileSync(path, 'utf8')).replace(/\\\n/g, ' ') };
}
