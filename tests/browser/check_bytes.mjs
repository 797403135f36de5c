// What a browser has to load of the page, as it is sent: builds it, prints the bytes, and fails above the budget.
//   check_bytes.mjs [--json]
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { need, page } from './page.mjs';

const BUDGET = 122_880;

const size = (path) =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0)
    : pack(path).length;

need('esbuild');
const folder = mkdtempSync(join(tmpdir(), 'sluice-page-'));
const { build } = await import(join(page, 'build.mjs'));
const { pack } = await import(join(page, 'pack.mjs'));
await build(false, folder);
const bytes = size(folder);
rmSync(folder, { recursive: true });
console.log(process.argv.includes('--json') ? JSON.stringify({ page_bytes: bytes }) : `${bytes} bytes of at most ${BUDGET}`);
process.exit(bytes > 0 && bytes <= BUDGET ? 0 : 1);
