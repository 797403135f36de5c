/** Any moment that the journal holds: slide to it, and every value is as it was then. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { lines, query } from '../../api/client';
import { loadPoints, points } from '../../api/points';
import { status } from '../../api/status';
import type { StoredEvent } from '../../api/types';
import { setQuery, usePlace } from '../../app/router';
import { useCell } from '../../lib/cell';
import { dateTime } from '../../lib/format';
import { t } from '../../lib/text';
import { Empty, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Marks } from './marks';
import { StateTable } from './state-table';

const STEP_MS = 1000;
const SETTLED_MS = 150;
const MINUTE_MS = 60_000, HOUR_MS = 60 * MINUTE_MS;

const jumps = [
  ['unit.h', '−1', -HOUR_MS], ['unit.min', '−1', -MINUTE_MS], ['unit.min', '+1', MINUTE_MS], ['unit.h', '+1', HOUR_MS],
] as const;

/** As an input of the type datetime-local has it, in this device's time. */
function local(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 19);
}

export function Moment() {
  const now = useCell(status), known = useCell(points);
  const place = usePlace();
  const [state, setState] = useState<readonly StoredEvent[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const newest = now?.journal.newest_t ?? 0, oldest = now?.journal.oldest_t ?? 0;
  // A number in a link may be none that is a moment.
  const at = new Date(Number(place.query.get('at'))).getTime() || newest;
  const chosen = place.query.has('at');

  useEffect(() => void loadPoints().catch(() => {}), []);
  useEffect(() => {
    if (!at) return;
    const ending = new AbortController();
    const timer = setTimeout(() => {
      lines<StoredEvent>('/state' + query({ at: Math.round(at) }), ending.signal).then((all) => {
        setState(all);
        setError(null);
      }, (refused) => ending.signal.aborted || setError(refused));
    }, SETTLED_MS);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
    // While no moment is chosen the newest is shown as it was when one came here.
  }, [chosen ? at : 0, !!newest]);

  const slide = (ms: number) => setQuery({ at: String(Math.round(Math.min(newest, Math.max(oldest, ms)))) });
  const readings = useMemo(() => (state ?? []).filter((event) => event.d && event.p), [state]);
  if (now && !newest) return <Empty title={t('history.empty')} next={t('history.empty.next')} />;
  if (!now) return null;
  return (
    <>
      <Panel title={chosen ? dateTime(at) : t('history.newest')} class="moment"
        aside={(
          <div class="actions">
            {jumps.map(([unit, sign, ms]) => (
              <button key={unit + sign} class="button small" type="button" onClick={() => slide(at + ms)}>{t(unit, { n: sign })}</button>
            ))}
            <button class="button small" type="button" disabled={!chosen} onClick={() => setQuery({})}>{t('history.now')}</button>
          </div>
        )}>
        <Marks from={oldest} to={newest} />
        <input class="slider" type="range" aria-label={t('history.slider')} aria-valuetext={dateTime(at)} min={oldest} max={newest} step={STEP_MS} value={at}
          onInput={(event) => slide(Number(event.currentTarget.value))} />
        <p class="slider-ends"><span>{dateTime(oldest)}</span>
          <label>{t('history.exact')} <input class="input" type="datetime-local" step="1" value={local(at)} onChange={(event) => slide(new Date(event.currentTarget.value).getTime())} /></label>
          <span>{dateTime(newest)}</span></p>
      </Panel>
      <Problem error={error} />
      {state && !error && <StateTable readings={readings} at={at} points={known ?? new Map()} />}
    </>
  );
}

