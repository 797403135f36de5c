/**
 * Before a change of the configuration is made: what becomes different, what that means for lines, brokers and the
 * journal, and every mistake. Then it is applied, on trial.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Refusal } from '../api/client';
import { apply, check, CONFIRM_S, loadConfig, pending, type Checked, type Mistake, type Proposal } from '../api/config';
import { session } from '../api/session';
import { useCell } from '../lib/cell';
import { number, outage } from '../lib/format';
import { said, t } from '../lib/text';
import { Dialog } from './dialog';
import { Lines } from './lines';
import { Notice, Problem } from './notice';

interface ReviewProps {
  title: string;
  edits: Proposal;
  /** What is known to speak against it. */
  warning?: string | false;
  onClose: () => void;
  /** Once it is on trial. */
  onDone?: () => void;
}

/** A value as a line: an object by its keys, a list by how many it has. */
function written(value: unknown): string {
  if (Array.isArray(value)) return t('review.entries', { n: value.length });
  if (value === null || typeof value !== 'object') return String(value);
  return Object.entries(value).map(([key, part]) => `${key} ${written(part)}`).join(' · ');
}

function Difference({ checked }: { checked: Checked }) {
  return (
    <>
      <ul class="difference">
        {checked.difference.map(({ at, from, to }) => (
          <li key={at}>
            <code>{at}</code>
            {from !== undefined && <del>{written(from)}</del>}
            {to !== undefined && <ins>{written(to)}</ins>}
          </li>
        ))}
      </ul>
      {checked.lines && (
        <details class="difference-lines">
          <summary>{t('review.lines')}</summary>
          <Lines lines={checked.lines} />
        </details>
      )}
    </>
  );
}

function Meaning({ meaning }: { meaning: NonNullable<Checked['meaning']> }) {
  return (
    <dl class="facts">
      {meaning.buses?.map((bus) => <div key={bus.id}><dt>{t('review.bus', { bus: bus.id })}</dt><dd>{number(bus.percent, 0)}&nbsp;<span class="unit">%</span></dd></div>)}
      {meaning.uplinks?.map((uplink) => <div key={uplink.id}><dt>{t('review.uplink', { uplink: uplink.id })}</dt><dd>{number(uplink.mb_month, 0)}&nbsp;<span class="unit">{t('unit.mbMonth')}</span></dd></div>)}
      {meaning.outage_days !== undefined && <div><dt>{t('journal.lasts')}</dt><dd>{outage(meaning.outage_days)}</dd></div>}
    </dl>
  );
}

/** All of them, each with its place. */
export function Mistakes({ errors }: { errors: readonly Mistake[] }) {
  return (
    <div role="alert">
      {errors.map((mistake, i) => <Notice key={i} level="down" title={said(mistake.sentence)} why={mistake.line ? t('review.place', { line: mistake.line }) : mistake.key} />)}
    </div>
  );
}

export function Review({ title, edits, warning, onClose, onDone }: ReviewProps) {
  const [checked, setChecked] = useState<Checked | null>(null);
  const [base, setBase] = useState('');
  const [error, setError] = useState<unknown>(null);

  useEffect(() => void Promise.all([loadConfig(), check(edits)]).then(([config, answer]) => {
    setBase(answer.revision ?? config.revision);
    setChecked(answer);
  }, setError), []);

  /** What was on trial when this was to be. */
  const earlier = useRef<string | undefined>(undefined);
  const done = (): void => {
    onClose();
    onDone?.();
  };
  const go = (): void => {
    setError(null);
    earlier.current = pending.get()?.change;
    void apply(edits, base, title).then(done, setError);
  };
  // Where the answer was lost one hears otherwise that it is on trial.
  const lost = error instanceof Refusal && !error.status && !!base, trial = useCell(pending);
  useEffect(() => {
    if (lost && trial && trial.change !== earlier.current && trial.by === session.get()?.account?.name) done();
  }, [lost, trial]);

  const nothing = checked?.ok && !checked.difference.length;
  return (
    <Dialog title={title} onClose={onClose}>
      {warning && <Notice level="look" title={warning} />}
      {!checked && !error && <p class="quiet-line">{t('review.checks')}</p>}
      {checked && !checked.ok && <Mistakes errors={checked.errors} />}
      {nothing && <p class="quiet-line">{t('review.nothing')}</p>}
      {checked?.ok && !nothing && <Difference checked={checked} />}
      {checked?.ok && !nothing && checked.meaning && <><h3 class="facts-head">{t('review.means')}</h3><Meaning meaning={checked.meaning} /></>}
      {checked?.undelivered?.map((left) => <Notice key={left.uplink} level="look" title={t('review.undelivered', { n: left.events, uplink: left.uplink })} />)}
      {checked?.meaning?.uplinks?.map(({ id, warning }) => warning && <Notice key={id} level="look" title={`${id}: ${said(warning)}`} />)}
      <Problem error={error} />
      {checked?.ok && !nothing && <p class="hint">{t('review.trial', { s: CONFIRM_S })}</p>}
      <div class="actions">
        {checked?.ok && !nothing && <button class="button primary" type="button" onClick={go}>{t('review.apply')}</button>}
        <button class="button quiet" type="button" onClick={onClose}>{t(checked?.ok && !nothing ? 'dialog.cancel' : 'dialog.close')}</button>
      </div>
    </Dialog>
  );
}
