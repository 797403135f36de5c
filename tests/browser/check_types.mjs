// The page's types: what is wrong is told by the compiler, with its place.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { need, page } from './page.mjs';

const compiler = join(need('typescript'), 'bin/tsc');
const done = spawnSync(process.execPath, [compiler, '--noEmit', '-p', page], { stdio: 'inherit' });
process.exit(done.status ?? 1);
