/**
 * Sentences of the gateway in another language. The gateway writes English, each sentence by a form of its own with
 * places to fill in; that form is what names it, as in gettext. A file of a language has the forms that people meet and
 * what they are there; a sentence whose form is not in it stays English.
 */

/**
 * English forms, with {} where something is filled in, and what they are: {} in the same order, or {2} the second. A
 * sentence in which nothing is filled in may stand there by its mark (build.mjs), which is shorter than it.
 */
export type Phrases = Record<string, string>;

interface Form {
  pattern: RegExp;
  text: string;
}

const PLACE = /\{(\d?)\}/g;
/** A reason within a reason within a reason. */
const DEPTH_MAX = 4;

/** "#1x5yq3": FNV-1a of the letters, 32 bits. As in build.mjs. */
function markOf(sentence: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < sentence.length; i++) hash = Math.imul(hash ^ sentence.charCodeAt(i), 0x01000193);
  return `#${(hash >>> 0).toString(36)}`;
}

/** What has no place to fill in, by its mark. */
let whole: Phrases = {};
let forms: Form[] = [];
const made = new Map<string, string | null>();

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export function learn(phrases: Phrases): void {
  const all = Object.entries(phrases);
  whole = Object.fromEntries(all.map(([form, text]) => [form.startsWith('#') ? form : markOf(form), text]));
  made.clear();
  forms = all
    .filter(([form]) => form.includes('{}'))
    // What says more comes first: "uplink {}: over: {}" before "uplink {}: {}".
    .sort(([a], [b]) => b.replace(PLACE, '').length - a.replace(PLACE, '').length)
    .map(([form, text]) => ({ pattern: new RegExp(`^${form.split('{}').map(quoted).join('(.*?)')}$`, 's'), text }));
}

function fill(text: string, parts: readonly string[], depth: number): string {
  let next = 0;
  return text.replace(PLACE, (_, place: string) => {
    const part = parts[place ? Number(place) - 1 : next++] ?? '';
    return find(part, depth + 1) ?? part;
  });
}

function find(sentence: string, depth: number): string | null {
  const known = whole[markOf(sentence)];
  if (known) return known;
  if (depth > DEPTH_MAX || !/\p{L} /u.test(sentence)) return null;
  for (const { pattern, text } of forms) {
    const match = pattern.exec(sentence);
    if (match) return fill(text, match.slice(1), depth);
  }
  return null;
}

/** The sentence in the language that was learnt; null where its form is not known. */
export function phrase(sentence: string): string | null {
  let known = made.get(sentence);
  if (known === undefined) {
    if (made.size > 500) made.clear();
    made.set(sentence, (known = find(sentence, 0)));
  }
  return known;
}
