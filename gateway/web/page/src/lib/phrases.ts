/**
 * Sentences of the gateway in another language. The gateway writes English, each sentence by a form of its own with
 * places to fill in; that form is what names it, as in gettext. A file of a language has the forms that people meet and
 * what they are there; a sentence whose form is not in it stays English.
 */

/**
 * The file of a language as build.mjs packs it: the marks of sentences in which nothing is filled in, by how far each is
 * from the one before it, and what they are; English forms, shortened, with {} where something is filled in, or of one word, and what they are:
 * {} in the same order, or {2} the second.
 */
export type Phrases = readonly [marks: string, whole: readonly string[], forms: readonly string[], told: readonly string[]];

interface Form {
  pattern: RegExp;
  text: string;
}

const PLACE = /\{(\d?)\}/g;
/** A reason within a reason within a reason. */
const DEPTH_MAX = 4;

/**
 * 30 bits of FNV-1a of the letters. Of names that people give hardly one in a million has the mark of a sentence; of those
 * that the gateway brings none has (tests/browser/check_said.mjs). As in build.mjs.
 */
function markOf(sentence: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < sentence.length; i++) hash = Math.imul(hash ^ sentence.charCodeAt(i), 0x01000193);
  return hash >>> 2;
}

/** As build.mjs has letters for digits. */
const digitOf = (letter: number): number => letter - (letter > 92 ? 36 : 35);

/** What has no place to fill in, by its mark. */
let whole = new Map<number, string>();
let byForm = new Map<string, string>();
let forms: Form[] = [];
let english = false;
const made = new Map<string, string | null>();

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** "the brok~26~te \"" is 26 letters that begin and end so. */
type Part = readonly [begin: string, length?: string, end?: string];

const size = (parts: readonly Part[]): number => parts.reduce((sum, [begin, length]) => sum + Number(length ?? begin.length), 0);
const found = ([begin, length, end = '']: Part): string => quoted(begin) + (length ? `.{${Number(length) - begin.length - end.length}}` : '') + quoted(end);

/** In English a sentence within another is at home whether it is said otherwise or not. */
export function learn([marks, texts, patterns, told]: Phrases = ['', [], [], []], isEnglish = false): void {
  english = isEnglish;
  let mark = 0;
  whole = new Map(texts.map((text, i) => {
    let gap = 0;
    for (let at = i; at < marks.length; at += texts.length) gap = gap * 64 + digitOf(marks.charCodeAt(at));
    return [(mark += gap), text];
  }));
  byForm = new Map(patterns.map((form, i) => [form, told[i]!]));
  made.clear();
  forms = patterns
    .map((form, i) => ({ parts: form.split('{}').map((part) => part.split('~') as [string, string?, string?]), text: told[i]! }))
    // What begins with words of its own comes first, as it may hold a whole sentence of those that do not: "the device does
    // not answer: {}" before "{}: is the unit right? …"; then what says more: "uplink {}: over: {}" before "uplink {}: {}".
    .sort((a, b) => Number(!a.parts[0]![0]) - Number(!b.parts[0]![0]) || size(b.parts) - size(a.parts))
    .map(({ parts, text }) => ({ pattern: new RegExp(`^${parts.map(found).join('(.*?)')}$`, 's'), text }));
}

/** What names and numbers never are. */
const SENTENCE = /^\p{Ll}+[:,]? \p{Ll}+ \p{Ll}/u;

/** Null where a sentence within has no words in the language: half of it would help nobody. */
function fill(text: string, parts: readonly string[], depth: number): string | null {
  let next = 0, whole = true;
  const filled = text.replace(PLACE, (_, place: string) => {
    const part = parts[place ? Number(place) - 1 : next++] ?? '', known = find(part, depth + 1);
    if (known === null && !english && SENTENCE.test(part)) whole = false;
    return known ?? part;
  });
  return whole ? filled : null;
}

function find(sentence: string, depth: number): string | null {
  // A port, an id or an address may have the mark of a sentence by chance: only of several words it is asked for.
  if (!/\p{L} /u.test(sentence)) return byForm.get(sentence) ?? null;
  const known = whole.get(markOf(sentence));
  if (known) return known;
  if (depth > DEPTH_MAX) return null;
  for (const { pattern, text } of forms) {
    const match = pattern.exec(sentence), filled = match && fill(text, match.slice(1), depth);
    if (filled) return filled;
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
