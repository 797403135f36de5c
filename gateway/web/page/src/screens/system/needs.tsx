/** Files that what is brought back names and that are not here: with them it is tried again. */
import { useEffect, useState } from 'preact/hooks';
import { secretOf } from '../../api/secrets';
import { t } from '../../lib/text';
import { TextField } from '../../parts/field';
import { bring, takeBack } from '../uplinks/brought';
import { FileDrop } from '../uplinks/file-drop';

interface NeedsProps {
  names: readonly string[];
  /** With the passwords among them; the other files are on the gateway then. */
  onGiven: (passwords: readonly (readonly [string, string])[]) => void;
}

/** Nothing of which the gateway has more to say than that it is there. */
const isTable = (name: string): boolean => /\.(csv|txt)$/i.test(name);
const isPassword = (name: string): boolean => name.endsWith(secretOf(''));

export function Needs({ names, onGiven }: NeedsProps) {
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
      onGiven(names.filter(isPassword).map((name) => [name, given[name]!] as const));
    }}>
      <p>{t('exports.needs')}</p>
      {names.map((name) => isPassword(name)
        ? <TextField key={name} label={name} type="password" autocomplete="off" value={given[name] ?? ''} onText={give(name)} />
        : <FileDrop key={name} label={name} hint={t('settings.file.hint')} name={given[name] ?? null} wanted={name} onKept={give(name)} right={isTable(name) ? t('settings.file.hint') : undefined} />)}
      <div class="actions"><button class="button" disabled={!names.every((name) => given[name])}>{t('exports.needs.do')}</button></div>
    </form>
  );
}
