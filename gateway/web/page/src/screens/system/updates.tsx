/** Updates of the whole system: which versions there are, another one from a file or an address, and back. */
import { useEffect, useState } from 'preact/hooks';
import { get, post, remove, sendFile } from '../../api/client';
import { may } from '../../api/session';
import { bytes, dateTime, number } from '../../lib/format';
import { said, t } from '../../lib/text';
import { TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { State } from '../../parts/state';
import { SureButton } from '../../parts/sure-button';

interface Job {
  phase: 'none' | 'receiving' | 'checking' | 'installing' | 'installed' | 'refused';
  received: number;
  /** -1: not known. */
  size: number;
  percent: number;
  version: string;
  error?: string;
  next?: string;
}

interface Slot {
  name: string;
  version: string;
  state: 'running' | 'ready' | 'empty';
  next: boolean;
  installed: number;
}

interface Update {
  by: 'bundles' | 'packages';
  version: string;
  board: string;
  slots: Slot[];
  restart_due: boolean;
  sentence: string;
  next: string;
  job: Job;
}

const AGAIN_MS = 700;
const goesOn = (job: Job): boolean => ['receiving', 'checking', 'installing'].includes(job.phase);

/** How far it is: what came in, then what is installed. */
function Progress({ job, onCancel }: { job: Job; onCancel: () => void }) {
  const installing = job.phase === 'installing';
  const share = installing ? job.percent : job.size > 0 ? (100 * job.received) / job.size : undefined;
  const words = installing ? t('update.installing', { percent: number(job.percent) })
    : job.phase === 'checking' ? t('update.checking') : t('update.receiving', { received: bytes(job.received) });
  return (
    <div aria-live="polite">
      <p>{words}</p>
      <progress class="update-progress" max={100} value={share} aria-label={words} />
      {!installing && <div class="actions"><button class="button" type="button" onClick={onCancel}>{t('update.cancel')}</button></div>}
    </div>
  );
}

function Ended({ job }: { job: Job }) {
  if (job.phase === 'refused')
    return <div role="alert"><Notice level="down" title={said(job.error ?? '')} why={t('update.unchanged')} next={said(job.next ?? '')} /></div>;
  if (job.phase === 'installed')
    return <Notice level="up" title={t('update.installed', { version: job.version })} next={t('update.installed.next')} />;
  return null;
}

function Slots({ slots }: { slots: readonly Slot[] }) {
  return (
    <dl class="facts">
      {slots.map((slot) => (
        <div key={slot.name}>
          <dt>{t('update.slot', { name: slot.name })}</dt>
          <dd>{slot.version || t('value.none')} <State level={slot.state === 'running' ? 'up' : 'unknown'} word={t(`update.state.${slot.state}`)} />
            {slot.next && slot.state !== 'running' && <span class="fact-what">{t('update.next')}</span>}
            {slot.installed > 0 && <span class="fact-what">{dateTime(slot.installed)}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Install({ onFile, onAddress }: { onFile: (file: File) => void; onAddress: (url: string) => void }) {
  const [url, setUrl] = useState('');
  return (
    <details class="add">
      <summary>{t('update.install')}</summary>
      <label class="button">{t('update.file')}
        <input class="unseen" type="file" accept=".raucb" onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) onFile(file);
          event.currentTarget.value = '';
        }} />
      </label>
      <form onSubmit={(event) => {
        event.preventDefault();
        onAddress(url);
      }}>
        <TextField label={t('update.url')} hint={t('update.url.hint')} value={url} onText={setUrl} required pattern="https://.+" autocapitalize="none" spellcheck={false} />
        <div class="actions"><button class="button">{t('update.fetch')}</button></div>
      </form>
    </details>
  );
}

export function Updates() {
  const [known, setKnown] = useState<Update | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [restarting, setRestarting] = useState(false);
  const load = () => get<Update>('/update').then(setKnown, () => {});
  /** RAUC installs what is no job of this gateway's: that is all that it says meanwhile. */
  const others = known?.by === 'bundles' && known.sentence !== '';
  const busy = known !== null && (others || goesOn(known.job));
  useEffect(() => void load(), []);
  useEffect(() => {
    if (!busy) return;
    const timer = setInterval(() => void load(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [busy]);
  const act = (action: Promise<unknown>): Promise<void> => {
    setError(null);
    // An upload answers at its end: what it is like meanwhile is asked for.
    setTimeout(() => void load(), AGAIN_MS);
    return action.then(() => load(), async (refused: unknown) => {
      await load();
      setError(refused);
    });
  };
  const upload = (file: File) => act(sendFile('PUT', '/update/bundle', file));
  const restart = () => post('/update/restart').then(() => setRestarting(true), setError);
  if (!known) return null;
  if (known.by === 'packages')
    return <Panel title={t('update.title')}><p class="hint">{said(known.next)}</p></Panel>;
  return (
    <Panel title={t('update.title')}>
      <Slots slots={known.slots} />
      {others ? <Notice level="paused" title={said(known.sentence)} next={said(known.next)} /> : busy ? <Progress job={known.job} onCancel={() => void act(remove('/update'))} /> : <Ended job={known.job} />}
      {known.job.phase !== 'refused' && <Problem error={error} />}
      {restarting && <Notice level="paused" title={t('machine.restarting')} />}
      {may('owner') && !busy && !restarting && (
        <>
          <div class="actions">
            {known.restart_due && <SureButton label={t('update.restart')} about="" onSure={() => void restart()} />}
            {(known.restart_due || known.slots.some((slot) => slot.state === 'ready')) &&
              <SureButton label={t(known.restart_due ? 'update.takeback' : 'update.rollback')} about="" onSure={() => void act(post('/update/rollback', {}))} />}
          </div>
          <Install onFile={(file) => void upload(file)} onAddress={(url) => void act(post('/update', { url }))} />
        </>
      )}
    </Panel>
  );
}
