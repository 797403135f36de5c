/** Files that what is brought back names and that are not here: with them it is tried again. */
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../lib/text';
import { TextField } from '../../parts/field';
import { bring, takeBack } from '../uplinks/brought';
import { FileDrop } from '../uplinks/file-drop';

/** The names of all, and of those among them that are secrets, by what the configuration has them for. */
export interface Missing {
  needs: readonly string[];
  keys: readonly string[];
  passwords: readonly string[];
}

interface NeedsProps extends Missing {
  /** With the passwords among them; the other files are on the gateway then. */
  onGiven: (passwords: readonly (readonly [string, string])[]) => void;
}

/** Nothing of which the gateway has more to say than that it is there. */
const isTable = (name: string): boolean => /\.(csv|txt)$/i.test(name);

export function Needs({ needs, keys, passwords, onGiven }: NeedsProps) {
  const [given, setGiven] = useState<Record<string, string | null>>({});
  // What was given for nothing goes; it is settled where the restore came to be.
  useEffect(() => () => void takeBack(), []);
  const give = (name: string) => (value: string | null) => {
    if (value) bring(name);
    setGiven((before) => ({ ...before, [name]: value }));
  };
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      onGiven(passwords.map((name) => [name, given[name]!] as const));
    }}>
      <p>{t('exports.needs')}</p>
      {needs.map((name) => passwords.includes(name)
        ? <TextField key={name} label={name} type="password" value={given[name] ?? ''} onText={give(name)} />
        : <FileDrop key={name} label={name} hint={t('settings.file.hint')} name={given[name] ?? null} wanted={name} asKey={keys.includes(name)} onKept={give(name)} right={isTable(name) ? t('settings.file.hint') : undefined} />)}
      <div class="actions"><button class="button" disabled={!needs.every((name) => given[name])}>{t('exports.needs.do')}</button></div>
    </form>
  );
}
