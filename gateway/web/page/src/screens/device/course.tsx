/** The course of one point over the journal's history. */
import { useEffect, useState } from 'preact/hooks';
import { get, query } from '../../api/client';
import type { Point } from '../../api/types';
import { gatewayNow } from '../../lib/clock';
import { t, type TextKey } from '../../lib/text';
import { Chart, type Series } from '../../parts/chart';
import { Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';

const HOUR_MS = 3600e3;
const spans: readonly (readonly [TextKey, number])[] = [
  ['course.hour', HOUR_MS], ['course.day', 24 * HOUR_MS], ['course.week', 7 * 24 * HOUR_MS], ['course.month', 30 * 24 * HOUR_MS],
];
const BUCKETS = 300;

export function Course({ point }: { point: Point }) {
  const [span, setSpan] = useState(HOUR_MS);
  const [series, setSeries] = useState<Series | null>(null);
  const [error, setError] = useState<unknown>(null);

  useEffect(() => {
    const ending = new AbortController();
    const load = async (): Promise<void> => {
      const to = gatewayNow();
      try {
        setSeries(await get<Series>('/series' + query({ device: point.d, point: point.p, from: Math.round(to - span), to: Math.round(to), buckets: BUCKETS }), ending.signal));
        setError(null);
      } catch (refused) {
        if (!ending.signal.aborted) setError(refused);
      }
    };
    void load();
    // A bucket's time: more often there is nothing new to draw.
    const again = setInterval(() => void load(), Math.max(10_000, span / BUCKETS));
    return () => {
      ending.abort();
      clearInterval(again);
    };
  }, [point.d, point.p, span]);

  const aside = (
    <div class="segments" role="group" aria-label={t('course.span')}>
      {spans.map(([name, ms]) => (
        <button key={name} type="button" aria-pressed={ms === span} onClick={() => setSpan(ms)}>{t(name)}</button>
      ))}
    </div>
  );
  return (
    <Panel title={point.name || point.p} aside={aside} class="course">
      <Problem error={error} />
      {series ? <Chart series={series} name={point.name || point.p} unit={point.unit ?? ''} decimals={point.decimals} /> : <div class="course-empty" />}
    </Panel>
  );
}
