/** An event of the audit trail as it is stored: "did=login by=anna from=192.168.7.20". */
import { decoded } from '../lib/decoded';

export const isTrail = (text: string): boolean => text.startsWith('did=');

/** KEY=VALUE with a blank between, and percent signs for what is no letter or digit. */
export function wordsOf(text: string): Record<string, string> {
  const made: Record<string, string> = {};
  for (const word of text.split(' ')) {
    const at = word.indexOf('=');
    if (at > 0) made[word.slice(0, at)] = decoded(word.slice(at + 1));
  }
  return made;
}
