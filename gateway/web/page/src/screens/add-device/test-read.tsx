/** Reads every point of the profile once, before anything is saved: do the values make sense, and is it that model? */
import { useEffect, useState } from 'preact/hooks';
import { useJob } from '../../api/jobs';
import { number } from '../../lib/format';
import { t, told } from '../../lib/text';
import { TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { State, type Level } from '../../parts/state';
import type { StepProps } from './add-device';
import type { Config } from '../../api/config';
import { deviceAt, placeFrames, placeLine, placeOn } from './draft';

interface ProbedPoint {
  id: string;
  name?: string;
  read: boolean;
  verdict: string;
  why?: string;
  v?: unknown;
  unit?: string;
}

interface Probed {
  points: ProbedPoint[];
  doubt?: boolean;
}

const HAS_NOT = 'has not';
const levels: Record<string, Level> = { 'has': 'up', [HAS_NOT]: 'unknown', 'not available': 'unknown', 'implausible': 'look' };

/** What is read by default and is not there: the rest is what the device reads then. */
export function onlyThere(points: readonly ProbedPoint[]): { only: string[]; missing: number } {
  const read = points.filter((point) => point.read), there = read.filter((point) => point.verdict !== HAS_NOT);
  return { only: there.map((point) => point.id), missing: read.length - there.length };
}

function Missing({ points, draft, change }: StepProps & { points: readonly ProbedPoint[] }) {
  const { only, missing } = onlyThere(points);
  const { only: chosen, ...rest } = draft.like ?? {};
  // What it does not have would be bad for ever: it is left out unless somebody wants it.
  useEffect(() => {
    if (missing && only.length) change({ like: { ...rest, only } });
  }, [only.join()]);
  if (!missing || !only.length) return null;
  return (
    <label class="check">
      <input type="checkbox" checked={!!chosen} onChange={(event) => change({ like: event.currentTarget.checked ? { ...rest, only } : rest })} />
      {t('test.only', { n: missing })}
    </label>
  );
}

export function TestRead({ draft, change, config }: StepProps & { config: Config }) {
  const job = useJob<Probed>();
  const place = draft.place!;
  const there = deviceAt(config, place, draft.unit);
  const wish = { kind: 'probe', on: placeOn(place), profile: draft.profile, unit: draft.unit, line: placeLine(place), frames: placeFrames(place) };
  const wished = JSON.stringify(wish), [asked, setAsked] = useState('');
  const read = () => {
    setAsked(wished);
    job.start(wish);
  };
  // Of another unit or model nothing is known by it.
  const lines = asked === wished ? job.lines : [];
  useEffect(() => job.stop, [wished]);
  const doubt = lines.some((line) => line.doubt);
  useEffect(() => {
    change({ doubt });
    return () => change({ doubt: false });
  }, [doubt]);
  const points = lines.flatMap((line) => line.points ?? []).sort((a, b) => Number(b.read) - Number(a.read));
  const value = (v: unknown): string => (typeof v === 'number' ? number(v) : String(v ?? t('value.none')));
  return (
    <>
      <div class="test-row">
        <TextField label={t('add.unit')} hint={t('add.unit.hint')} wrong={there && t('add.unit.taken', { unit: draft.unit, name: there.name || there.id })} inputmode="numeric" value={String(draft.unit)} onText={(text) => change({ unit: Number(text) || 0 })} />
        <button class="button" type="button" disabled={job.runs} onClick={read}>{t(job.runs ? 'test.runs' : 'test.do')}</button>
      </div>
      {!points.length && asked === wished && <Problem error={job.error} />}
      <div aria-live="polite">
        {doubt && <Notice level="look" title={t('test.doubt')} next={t('test.doubt.next')} />}
        <ul class="entries probed">
          {points.map((point) => (
            <li key={point.id}>
              <span class="point-name">{point.name || point.id}</span>
              <b class="numbers">{value(point.v)}{point.unit && (point.v ?? null) !== null && <>&nbsp;<span class="unit">{point.unit}</span></>}</b>
              <State level={levels[point.verdict] ?? 'down'} word={told(`test.${point.verdict}`, point.verdict)} />
            </li>
          ))}
        </ul>
      </div>
      {!doubt && <Missing points={points} draft={draft} change={change} />}
      {points.length > 0 && <p class="hint">{t('test.compare')}</p>}
    </>
  );
}
