/** Reads every point of the profile once, before anything is saved: do the values make sense? */
import { useJob } from '../../api/jobs';
import { number } from '../../lib/format';
import { t, told } from '../../lib/text';
import { TextField } from '../../parts/field';
import { Problem } from '../../parts/notice';
import { State, type Level } from '../../parts/state';
import type { StepProps } from './add-device';
import { placeLine, placeOn } from './draft';

interface Probed {
  points: { id: string; verdict: string; why?: string; v?: unknown; unit?: string }[];
}

const levels: Record<string, Level> = { 'has': 'up', 'has not': 'unknown', 'not available': 'unknown', 'implausible': 'look' };

export function TestRead({ draft, change }: StepProps) {
  const job = useJob<Probed>();
  const place = draft.place!;
  const read = () => job.start({ kind: 'probe', on: placeOn(place), profile: draft.profile, unit: draft.unit, line: placeLine(place) });
  const points = job.lines.flatMap((line) => line.points ?? []);
  const value = (v: unknown): string => (typeof v === 'number' ? number(v) : v === undefined || v === null ? t('value.none') : String(v));
  return (
    <>
      <div class="test-row">
        <TextField label={t('add.unit')} hint={t('add.unit.hint')} inputmode="numeric" value={String(draft.unit)} onText={(text) => change({ unit: Number(text) || 0 })} />
        <button class="button" type="button" disabled={job.runs} onClick={read}>{t(job.runs ? 'test.runs' : 'test.do')}</button>
      </div>
      {!points.length && <Problem error={job.error} />}
      <ul class="entries" aria-live="polite">
        {points.map((point) => (
          <li key={point.id}>
            <span class="point-name">{point.id}</span>
            <b class="numbers">{value(point.v)} <span class="unit">{point.unit}</span></b>
            <State level={levels[point.verdict] ?? 'down'} word={told(`test.${point.verdict}`, point.verdict)} />
          </li>
        ))}
      </ul>
      {points.length > 0 && <p class="hint">{t('test.compare')}</p>}
    </>
  );
}
