/** The page's words: one file a language, and no sentence anywhere else. */
import { cell, kept } from './cell';
import type en from '../texts/en.json';
import { named } from './names';
import { learn, phrase, type Phrases } from './phrases';

export type TextKey = keyof typeof en;
export type Language = 'en' | 'de';
type Texts = Record<string, string>;

export const languages: readonly Language[] = ['en', 'de'];
export const languageNames: Record<Language, string> = { en: 'English', de: 'Deutsch' };

const own = navigator.languages?.some((tag) => tag.startsWith('de')) ? 'de' : 'en';
export const language = kept<Language>('sluice.language', own, languages);
/** Rises when other words are there. */
export const spoken = cell(0);

let texts: Texts = {};
let plurals = new Intl.PluralRules('en');

interface Words {
  texts: Texts;
  /** How the gateway's own sentences are said. */
  said: Phrases;
}

function load(which: Language): Promise<Words> {
  return which === 'en' ? import('./english') : import('./german');
}

/** Loads the words of the language that is chosen; the page is drawn once they are there. */
export async function speak(): Promise<void> {
  const chosen = language.get();
  const words = await load(chosen);
  if (language.get() !== chosen) return; // another was chosen meanwhile, whichever of the two came first
  texts = named(words.texts);
  learn(words.said, chosen === 'en');
  plurals = new Intl.PluralRules(chosen);
  document.documentElement.lang = chosen;
  spoken.set(spoken.get() + 1);
}

let speaking = Promise.resolve();
language.watch(() => {
  speaking = speak();
});

/** Another language from now on; done when its words are there. */
export function speakIn(wanted: Language): Promise<void> {
  language.set(wanted);
  return speaking;
}

export type Filling = Record<string, string | number>;

/**
 * The sentence of a key. `{name}` is replaced by that of `filling`. A sentence with "|" has a singular and a plural
 * form, told apart by `n`: "{n} device|{n} devices".
 */
export function t(key: TextKey, filling?: Filling, count?: number): string {
  const sentence = texts[key] ?? key;
  const forms = sentence.split('|');
  const number = count ?? Number(filling?.n);
  const form = forms.length > 1 && plurals.select(number) !== 'one' ? forms[1]! : forms[0]!;
  return filling ? form.replace(/\{(\w+)\}/g, (_, name: string) => String(filling[name] ?? '')) : form;
}

/** The sentence of a key that is made at run time, or `otherwise` where there is none. */
export function told(key: string, otherwise: string): string {
  return texts[key] ?? otherwise;
}

/**
 * A sentence of the gateway or of one of its programs as it stands by itself: in the page's language where it is known
 * there, with a capital, and without the program's name. One that begins with a name or a key (`uplinks[0].url: …`)
 * keeps it as it is written.
 */
export function said(sentence: string): string {
  const english = sentence.trim().replace(/^sluiced?( [a-z-]+)*: /gm, '');
  return capital(phrase(english) ?? english);
}

const capital = (text: string): string => (/^\p{Ll}[\p{L}'’-]*[ ,]/u.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text);

/** As it stands before another sentence. */
export const sentence = (text: string): string => capital(text) + (/[\p{L}\p{N}%)"”“]$/u.test(text) ? '.' : '');
