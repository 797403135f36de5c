/**
 * A certificate or key by dropping its file: looked at on the spot, and kept on the gateway under a name. One that is
 * locked (a key, or a PKCS #12 file with both) asks for its passphrase first.
 */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Refusal, secret, sendFile } from '../../api/client';
import { dateTime } from '../../lib/format';
import { said, t } from '../../lib/text';
import { TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { judged, type Inspected } from './judged';

interface FileDropProps {
  label: string;
  hint: string;
  /** Its name on the gateway once it is there. */
  name: string | null;
  /** What it is to be called: "cloud-ca.pem". */
  wanted: string;
  onKept: (name: string | null) => void;
  /** A key is to come, whatever it is to be called. */
  asKey?: boolean;
  /** Whether a file lies here that was not taken, or not yet. */
  onOpen?: (open: boolean) => void;
  /** The other half of a PKCS #12 file, which is kept with it. */
  twin?: { wanted: string; onKept: (name: string | null) => void };
  /** Why it cannot be used as it is, though it was taken. */
  wrong?: string;
  /** What is said of it in place of the gateway's sentence. */
  right?: string;
}

const PFX = 'pfx', LOCKED_KEY = 'locked-key';

// A file that is dropped beside its place would be opened by the browser in place of the page.
for (const kind of ['dragover', 'drop'] as const)
  addEventListener(kind, (event) => /input|textarea/.test((event.target as Element).localName) || event.preventDefault());

const look = (file: File, passphrase: string): Promise<Inspected> => sendFile('POST', '/files/inspect', file, secret(passphrase));

const keep = (name: string, file: File, passphrase: string, isKey: boolean): Promise<unknown> =>
  sendFile('PUT', `/files/${encodeURIComponent(name)}${isKey ? '?as=key' : ''}`, file, secret(passphrase));

function Passphrase({ busy, onGiven }: { busy: boolean; onGiven: (passphrase: string) => void }) {
  const [passphrase, setPassphrase] = useState('');
  // No form of its own: it stands in one.
  return (
    <div class="test-row">
      <TextField label={t('drop.passphrase')} hint={t('drop.passphrase.hint')} type="password" value={passphrase} onText={setPassphrase} />
      <button class="button" type="button" disabled={busy} onClick={() => onGiven(passphrase)}>{t('drop.unlock')}</button>
    </div>
  );
}

export function FileDrop({ label, hint, name, wanted, asKey, onKept, onOpen, twin, wrong, right }: FileDropProps) {
  const id = useId(), input = useRef<HTMLInputElement>(null);
  const [about, setAbout] = useState<Inspected | null>(null);
  const [locked, setLocked] = useState<{ file: File; both: boolean } | null>(null);
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const [error, setError] = useState<unknown>(null);

  useEffect(() => () => onOpen?.(false), []);

  const take = async (file: File | undefined, passphrase = '', both = false): Promise<void> => {
    if (!file) return;
    setError(null);
    setBusy(true);
    onOpen?.(true);
    try {
      const found = await look(file, passphrase);
      const isLocked = found.kind === PFX || found.kind === LOCKED_KEY;
      if (!passphrase) onKept(null);
      // A key is never taken for a certificate, nor the other way round.
      const isKey = found.kind === 'key' || found.kind === LOCKED_KEY, wantsKey = asKey ?? wanted.endsWith('.key');
      if (isKey ? !wantsKey : wantsKey && found.kind === 'certificates')
        throw new Refusal(0, said(found.sentence ?? ''), t('drop.other', { field: t(isKey ? 'broker.key' : 'broker.cert') }));
      if (isLocked && passphrase) throw new Refusal(0, t('drop.another'));
      setLocked(isLocked ? { file, both: found.kind === PFX } : null);
      if (!isLocked) {
        await keep(wanted, file, passphrase, wantsKey);
        onKept(wanted);
        if (both && twin) {
          await keep(twin.wanted, file, passphrase, !wantsKey);
          twin.onKept(twin.wanted);
        }
        setAbout(found);
        onOpen?.(false);
      }
    } catch (refused) {
      setError(refused);
    }
    setBusy(false);
  };

  const [level, words] = judged(about ?? { kind: '' });
  return (
    <div class={over ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer?.files[0]);
      }}>
      <label for={id}>{label}</label>
      <input id={id} ref={input} class="drop-input" type="file" onChange={(event) => void take(event.currentTarget.files?.[0])} />
      <p class="hint">{hint}</p>
      {locked && <Passphrase busy={busy} onGiven={(passphrase) => void take(locked.file, passphrase, locked.both)} />}
      <Problem error={error} />
      {!busy && !!(error || locked) && <div class="actions"><button class="button small" type="button" onClick={() => {
        setError(null);
        setLocked(null);
        input.current!.value = '';
        onOpen?.(false);
      }}>{t('accounts.remove')}<span class="unseen"> {label}</span></button></div>}
      <div aria-live="polite">
        {name && (
          <Notice level={wrong ? 'down' : level} title={about?.subject ?? t('drop.kept', { name })} why={about?.until ? t('drop.until', { until: dateTime(about.until) }) : undefined}
            next={wrong ?? ((level === 'up' && right) || words)} />
        )}
      </div>
    </div>
  );
}
