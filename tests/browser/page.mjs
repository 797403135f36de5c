// Where the page is, and whether what it is built with is there; a test without that is skipped.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SKIPPED = 77; // CTest's SKIP_RETURN_CODE

export const page = fileURLToPath(new URL('../../gateway/web/page/', import.meta.url));

export function need(part) {
  const path = join(page, 'node_modules', part);
  if (existsSync(path)) return path;
  console.log(`${path} is missing: run npm ci in ${page}`);
  process.exit(SKIPPED);
}
