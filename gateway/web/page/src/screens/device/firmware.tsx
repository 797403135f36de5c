/** A sensor node's firmware: what is in its two slots, another version over its bus, and back. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, sendFile } from '../../api/client';
import { useJob } from '../../api/jobs';
import { may } from '../../api/session';
import type { DeviceStatus } from '../../api/types';
import { number } from '../../lib/format';
import { said, t, told, type TextKey } from '../../lib/text';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { State } from '../../parts/state';
import { SureButton } from '../../parts/sure-button';

/** The profile that the node's firmware is made from, too. */
const PROFILE = 'sluice-node';

/** What becomes of one is not told any more once another followed. */
const WORK = ['node-update', 'node-confirm', 'node-rollback'];

interface Slot {
  state: string;
  version?: string;
  why?: string;
}

interface Node {
  board: string;
  running: 'A' | 'B' | null;
  slots: readonly [Slot, Slot];
  trial_s?: number;
}

/** The others than an update print, at their end, what `Node` is then. */
interface Line extends Node {
  kind?: 'progress' | 'step' | 'done';
  done: number;
  of: number;
  step: string;
  version: string;
}

/** What runs, once the work has come to its end. */
function doneVersion(last: Line | undefined): string | undefined {
  if (last?.kind === 'done') return last.version;
  return last?.slots?.['AB'.indexOf(last.running ?? 'A')]?.version;
}

interface NodeFile {
  board: string;
  version: string;
}

const older = (one: string, than: string): boolean => one.localeCompare(than, 'en', { numeric: true }) < 0;

function Slots({ node }: { node: Node }) {
  return (
    <dl class="facts">
      {node.slots.map((slot, i) => {
        const name = 'AB'[i]!;
        return (
          <div key={name}>
            <dt>{t('node.slot', { name })}</dt>
            <dd>{slot.version ?? t('value.none')} <State level={name === node.running ? 'up' : 'unknown'} word={name === node.running ? t('update.state.running') : said(slot.state)} />
              {slot.why && <span class="fact-what">{said(slot.why)}</span>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** Only what is sent has a measure. */
function Progress({ kind, last }: { kind: string; last: Line | undefined }) {
  const share = last?.of ? (100 * last.done) / last.of : 0, sends = kind === WORK[0] && last?.kind !== 'step';
  const words = sends ? t('node.sending', { percent: number(share, 0) }) : last?.kind === 'step' ? told(`node.${last.step}`, last.step) : t(`node.work.${kind}` as TextKey);
  return (
    <div aria-live="polite">
      <p>{words}</p>
      <progress class="update-progress" max={100} value={sends ? share : undefined} aria-label={words} />
      <p class="hint">{t('node.stay')}</p>
    </div>
  );
}

export function Firmware({ device }: { device: DeviceStatus }) {
  const look = useJob<Node>(), work = useJob<Line>({ lasting: device.profile === PROFILE ? { kinds: WORK, of: device.id } : undefined });
  const [node, setNode] = useState<Node | null>(null);
  const [file, setFile] = useState<NodeFile | null>(null);
  const [error, setError] = useState<unknown>(null);
  const on = device.id, last = work.lines.at(-1), done = doneVersion(last);
  const seen = (): void => look.start({ kind: 'node-status', on });
  useEffect(() => setNode((known) => look.lines[0] ?? known), [look.lines]);
  const ran = useRef(false);
  useEffect(() => {
    // Of what ended before one came here, the line is not borrowed unasked.
    if (work.end && ran.current) seen();
    ran.current = work.runs;
  }, [work.end, work.runs]);
  if (device.profile !== PROFILE || !may('owner')) return null;

  const now = node?.slots['AB'.indexOf(node.running ?? 'A')], other = node?.slots[node.running === 'B' ? 0 : 1];
  const back = !!file && !!node?.running && !!now?.version && older(file.version, now.version);
  const open = (): void => {
    seen();
    get<NodeFile>('/node/file').then(setFile, () => {});
  };
  const upload = (chosen: File): void => {
    setError(null);
    sendFile<NodeFile>('PUT', '/node/file', chosen).then(setFile, setError);
  };
  const busy = look.runs || work.runs;
  return (
    <Panel title={t('node.title')}>
      <Problem error={error ?? work.error ?? look.error} />
      {node ? <Slots node={node} /> : <p class="hint">{t('node.hint')}</p>}
      {work.runs ? <Progress kind={work.kind} last={last} /> : done && <Notice level="up" title={t('node.done', { version: done })} />}
      {node?.trial_s !== undefined && !work.runs && <Notice level="look" title={t('node.trial', { s: node.trial_s })} />}
      {file && node && !work.runs && <p>{t('node.file', { version: file.version, board: file.board })}</p>}
      <div class="actions">
        {work.runs && <button class="button" type="button" onClick={work.stop}>{t('dialog.cancel')}</button>}
        {!node && <button class="button small" type="button" disabled={busy} onClick={open}>{t('node.look')}</button>}
        {node && !busy && (
          <>
            <label class="button small">{t('node.choose')}
              <input class="unseen" type="file" accept=".snu" onChange={(event) => {
                const chosen = event.currentTarget.files?.[0];
                if (chosen) upload(chosen);
                event.currentTarget.value = '';
              }} />
            </label>
            {file && <button class="button small" type="button" onClick={() => work.start({ kind: 'node-update', on, older: back })}>{t(back ? 'node.older' : 'node.update', { version: file.version })}</button>}
            {node.trial_s !== undefined && <button class="button small" type="button" onClick={() => work.start({ kind: 'node-confirm', on })}>{t('node.keep')}</button>}
            {node.running && other?.version && other.state.startsWith('confirmed') && <SureButton label={t('node.back', { version: other.version })} about={device.id} onSure={() => work.start({ kind: 'node-rollback', on })} />}
          </>
        )}
      </div>
    </Panel>
  );
}
