/** What is typed over an entry of the configuration stays where somebody else changes that meanwhile: it is on top of what is then. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { flat, same, type Fields, type Options } from '../../api/options';
import { t } from '../../lib/text';
import { Notice } from '../../parts/notice';

export interface Typed {
  fields: Fields;
  change: (fields: Fields) => void;
  /** It has changed since somebody began to type. */
  isAnother: boolean;
}

/** The keys that differ, as they are then; undefined where they are gone. */
function differing(before: Fields, after: Fields): Fields {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return Object.fromEntries(keys.filter((key) => !same(before[key], after[key])).map((key) => [key, after[key]]));
}

export function useTyped(entry: Fields, options: Options): Typed {
  const [typed, setTyped] = useState<Fields>({});
  const begun = useRef(entry), now = flat(entry, options);
  const fields = Object.fromEntries(Object.entries({ ...now, ...typed }).filter(([, value]) => value !== undefined));
  const isTyped = Object.keys(differing(now, fields)).length > 0;
  if (!isTyped) begun.current = entry;
  // What has come to be is typed no more: where it goes back, that is shown.
  useEffect(() => {
    if (!isTyped) setTyped((known) => (Object.keys(known).length ? {} : known));
  }, [isTyped]);
  return { fields, change: (next) => setTyped(differing(now, next)), isAnother: isTyped && !same(begun.current, entry) };
}

export function Meanwhile({ typed }: { typed: Typed }) {
  return <div role="status">{typed.isAnother && <Notice level="look" title={t('settings.meanwhile')} next={t('settings.meanwhile.next')} />}</div>;
}
