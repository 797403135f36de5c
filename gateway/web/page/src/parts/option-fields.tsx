/** The keys of an entry as a form: those that are usual and those that are set; every other one can be added. */
import { useState } from 'preact/hooks';
import { asText, formOf, fromText, type Fields, type Kind, type Option, type Options } from '../api/options';
import { phrase } from '../lib/phrases';
import { t, told } from '../lib/text';
import { Choice, TextField } from './field';
import { Said } from './said';

/** A place of a form that knows more of its key than the schema does. */
export type Special = (value: unknown, change: (value: unknown) => void) => preact.JSX.Element | null;

interface OptionFieldsProps {
  kind: Kind;
  options: Options;
  fields: Fields;
  /** Keys that are always there, in this order. */
  usual: readonly string[];
  /** Keys that are not changed here. */
  without?: readonly string[];
  special?: Record<string, Special>;
  change: (fields: Fields) => void;
}

const labelOf = (kind: Kind, key: string): string => told(`option.${kind}.${key}`, told(`option.${key}`, key));
const hintOf = (kind: Kind, key: string): string => told(`option.${kind}.${key}.hint`, told(`option.${key}.hint`, ''));
const first = (text = ''): string => text.split('\n')[0]!;

/** What stands behind the names of a choice: "ABCD: the most significant byte first". */
function choicesOf(option: Option): (readonly [string, string])[] {
  const about = new Map((option.description ?? '').split('\n').slice(1).map((line) => line.split(/: (.*)/) as [string, string]));
  return option.enum!.map((one) => {
    const words = about.get(String(one));
    return [String(one), words ? `${one}: ${phrase(words) ?? words}` : String(one)] as const;
  });
}

function OneField({ name, label, words, option, value, onValue }: { name: string; label: string; words: string; option: Option; value: unknown; onValue: (value: unknown) => void }) {
  const hint = words || <><code>{name}</code> <Said text={first(option.description)} /></>;
  const usually = typeof option.default === 'boolean' ? t(option.default ? 'settings.yes' : 'settings.no') : asText(option.default);
  const unset = option.default === undefined ? t('settings.unset') : t('settings.default', { value: usually });
  const form = formOf(option);
  const take = (text: string): void => onValue(text === '' ? undefined : fromText(text, option));
  if (form !== 'text')
    return <Choice label={label} hint={hint} value={asText(value)} onChoice={take}
      choices={[['', unset], ...(form === 'choice' ? choicesOf(option) : [['true', t('settings.yes')], ['false', t('settings.no')]] as const)]} />;
  const example = option.default ?? option.examples?.[0];
  return <TextField label={label} hint={hint} value={asText(value)} onText={take} spellcheck={false} autocapitalize="none"
    placeholder={example === undefined ? undefined : asText(example)} />;
}

export function OptionFields({ kind, options, fields, usual, without = [], special = {}, change }: OptionFieldsProps) {
  const [added, setAdded] = useState<readonly string[]>([]);
  const shown = [...new Set([...usual, ...Object.keys(fields), ...added])].filter((key) => options.has(key) && !without.includes(key));
  const others = [...options.keys()].filter((key) => !shown.includes(key) && !without.includes(key));
  const set = (key: string) => (value: unknown) => {
    const next = { ...fields };
    if (value === undefined) delete next[key];
    else next[key] = value;
    change(next);
  };
  return (
    <>
      {shown.map((key) => <div key={key}>{special[key]?.(fields[key], set(key)) ?? <OneField name={key} label={labelOf(kind, key)} words={hintOf(kind, key)} option={options.get(key)!} value={fields[key]} onValue={set(key)} />}</div>)}
      {others.length > 0 && (
        <Choice label={t('settings.more')} value="" onChoice={(key) => key && setAdded([...added, key])}
          choices={[['', t('settings.more.choose')], ...others.map((key) => [key, labelOf(kind, key) === key ? key : `${labelOf(kind, key)} (${key})`] as const)]} />
      )}
    </>
  );
}
