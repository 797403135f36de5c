// A file of the page as it is sent: compressed once, as far as gzip goes.
import { execFileSync } from 'node:child_process';

export function pack(path) {
  try {
    return execFileSync('zopfli', ['-c', path], { maxBuffer: 1 << 24 });
  } catch (error) {
    throw error.code === 'ENOENT' ? new Error('the page is compressed by zopfli, which is not here: tools/prepare build installs it') : error;
  }
}
