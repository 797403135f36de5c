/** A point of the report: what is read, what the display showed, and how much the two differ. What is typed is kept at once. */
import { useState } from 'preact/hooks';
import { remove } from '../../api/client';
import { note } from '../../api/displays';
import { may } from '../../api/session';
import type { Display, Point, Quality, Scalar } from '../../api/types';
import { moment, number } from '../../lib/format';
import { t } from '../../lib/text';
import { unitOf, written } from '../../parts/value';

interface RowProps {
  point: Point;
  /** What is read at present; where something was noted that was read then stands in its place. */
  value: { v?: Scalar; q?: Quality; t: number };
  noted?: Display;
  onNoted: (noted: Display | undefined) => void;
  onError: (error: unknown) => void;
}

/** The newest of what is being kept: who prints the report waits for it. */
export let keeping: Promise<void> = Promise.resolve();

/** How much more was read: "+0.1"; "" where one of the two is no number. */
export function difference(point: Point, noted: Display | undefined): string {
  const more = noted?.difference;
  return more === undefined ? '' : `${more > 0 ? '+' : ''}${number(more, point.decimals)}`;
}

export function ReportRow({ point, value, noted, onNoted, onError }: RowProps) {
  const name = point.name || point.p;
  const [typed, setTyped] = useState(noted?.shown ?? '');
  const keep = async (): Promise<void> => {
    const shown = typed.trim();
    if (shown === (noted?.shown ?? '')) return;
    onError(null);
    try {
      onNoted(shown ? await note(point.d, point.p, shown) : await remove(`/displays/${point.d}/${point.p}`).then(() => undefined));
    } catch (error) {
      onError(error);
    }
  };
  const read = noted ? { v: noted.v, q: 'good' as Quality, t: noted.t ?? 0 } : { v: value.v ?? null, q: value.q ?? 'good', t: value.t };
  const unit = unitOf(point, read.v);
  return (
    <tr>
      <th scope="row" class="whole">{name}{noted && <p class="report-noted">{noted.by}, {moment(noted.at, Date.now())}</p>}</th>
      <td class="number">{written(point, read)}{unit && <>&nbsp;<span class="unit">{unit}</span></>}</td>
      <td>{may('operator')
        ? <input class="input report-field" aria-label={t('report.display.of', { name })} maxLength={64} value={typed} onInput={(event) => setTyped(event.currentTarget.value)}
            onBlur={() => (keeping = keep())} onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()} />
        : typed}</td>
      <td class="number">{difference(point, noted)}</td>
    </tr>
  );
}
