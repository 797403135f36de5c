/** An event of the audit trail as it is stored: "did=login by=anna from=192.168.7.20". */

export const isTrail = (text: string): boolean => text.startsWith('did=');

/** KEY=VALUE with a blank between, and percent signs for what is no letter or digit. */
export function wordsOf(text: string): Record<string, string> {
  const made: Record<string, string> = {};
  for (const word of text.split(' ')) {
    const at = word.indexOf('=');
    if (at < 1) continue;
    try {
      made[word.slice(0, at)] = decodeURIComponent(word.slice(at + 1));
    } catch {
      made[word.slice(0, at)] = word.slice(at + 1);
    }
  }
  return made;
}
