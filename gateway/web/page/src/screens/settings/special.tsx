/** Keys of which the page knows more than the schema: lines, ports and files are chosen among those that are there. */
import { useEffect, useState } from 'preact/hooks';
import type { Config } from '../../api/config';
import { keepSecret, secretOf } from '../../api/secrets';
import { t, told } from '../../lib/text';
import { Choice, TextField } from '../../parts/field';
import { Problem } from '../../parts/notice';
import type { Special } from '../../parts/option-fields';
import { freeId } from '../add-device/draft';
import { loadPorts, portAbout, portLabel, type Port } from '../buses/ports';
import { FileDrop } from '../uplinks/file-drop';
import { Unlisted, useKept } from '../uplinks/kept';
import type { Listed } from './usual';

const text = (value: unknown): string => (value === undefined ? '' : String(value));

/** What is in the file is among the choices, whether it is there or not. */
function withOwn(choices: (readonly [string, string])[], value: string): (readonly [string, string])[] {
  return !value || choices.some(([key]) => key === value) ? choices : [[value, value], ...choices];
}

function PortChoice({ value, onValue }: { value: string; onValue: (value: unknown) => void }) {
  const [ports, setPorts] = useState<readonly Port[]>([]);
  useEffect(() => void loadPorts().then(setPorts, () => {}), []);
  const known = ports.map((port) => [port.port, t('add.place.port', { port: portLabel(port), about: portAbout(port) })] as const);
  return <Choice label={t('option.port')} value={value} onChoice={(port) => onValue(port || undefined)} choices={withOwn([['', t('settings.unset')], ...known], value)} />;
}

const fitting: Record<string, string> = { 'tls.ca': 'certificates', 'tls.cert': 'certificates', 'tls.crl': 'revoked', 'tls.key': 'key', 'password_file': 'secret', 'proxy_login_file': 'secret' };
const endings: Record<string, string> = { 'tls.ca': '-ca.pem', 'tls.cert': '.pem', 'tls.crl': '.crl', 'tls.key': '.key' };

function FileChoice({ name, id, value, onValue }: { name: string; id: string; value: string; onValue: (value: unknown) => void }) {
  const [fresh, setFresh] = useState<string | null>(null);
  const { files, more } = useKept(fresh);
  const label = told(`option.${name}`, name), ending = endings[name];
  const fit = files.filter((file) => file.kind === fitting[name] || (name === 'tls.key' && file.kind === 'secret' && file.name.endsWith('.key'))).map((file) => [file.name, file.name] as const);
  // What is in use stays as it is until the change is kept: the new one has a name of its own.
  const base = ending && freeId(id, files.map((file) => file.name.replace(ending, '')));
  return (
    <>
      <Choice label={label} hint={<code>{name}</code>} value={value} onChoice={(file) => onValue(file || undefined)} choices={withOwn([['', t('settings.unset')], ...fit], value)} />
      <Unlisted more={more} />
      {name.endsWith('_file') && <NewPassword id={name === 'password_file' ? id : `${id}-proxy`} label={t(name === 'password_file' ? 'settings.password' : 'settings.login')} taken={files.map((file) => file.name)} onKept={(kept) => {
        setFresh(kept);
        onValue(kept);
      }} />}
      {ending && <FileDrop label={t('settings.file', { what: label })} hint={t('settings.file.hint')} name={fresh} wanted={`${base}${ending}`} onKept={(kept) => {
        setFresh(kept);
        if (kept) onValue(kept);
      }} />}
    </>
  );
}

/** A new password is a file of its own: the one that is in use stays until the change is kept. */
function NewPassword({ id, label, taken, onKept }: { id: string; label: string; taken: readonly string[]; onKept: (name: string) => void }) {
  const [password, setPassword] = useState('');
  const [error, setError] = useState<unknown>(null);
  const keep = async (): Promise<void> => {
    const name = secretOf(freeId(id, taken.map((file) => file.replace(secretOf(''), ''))));
    setError(null);
    try {
      await keepSecret(name, password);
      setPassword('');
      onKept(name);
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <div class="test-row">
      <TextField label={label} type="password" value={password} onText={setPassword} />
      <button class="button" type="button" disabled={!password} onClick={() => void keep()}>{t('settings.password.use')}</button>
      <Problem error={error} />
    </div>
  );
}

export function specials(kind: Listed, id: string, { parsed }: Config): Record<string, Special> {
  const buses = (parsed.buses ?? []).map((bus) => [bus.id, bus.id] as const);
  if (kind === 'devices') return { bus: (value, change) => <Choice label={t('option.bus')} value={text(value)} onChoice={change} choices={withOwn(buses, text(value))} /> };
  if (kind === 'buses') return { port: (value, change) => <PortChoice value={text(value)} onValue={change} /> };
  return Object.fromEntries(Object.keys(fitting).map((name): [string, Special] => [name, (value, change) => <FileChoice name={name} id={id} value={text(value)} onValue={change} />]));
}
