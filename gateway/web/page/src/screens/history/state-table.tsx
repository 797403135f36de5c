/** Every value as it was at a moment, with how old it was then. */
import { pointKey } from '../../api/points';
import type { Point, StoredEvent } from '../../api/types';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { duration } from '../../lib/format';
import { narrow } from '../../lib/narrow';
import { t } from '../../lib/text';
import { Shape } from '../../parts/state';
import { Virtual } from '../../parts/virtual';
import { quality, unitOf, written } from '../../parts/value';

interface Line {
  event: StoredEvent;
  point: Point;
  /** The device's name, in the first of its lines. */
  head?: string;
}

/** As in history.css: a line where there is room, and on a phone two, with the device above its first. */
function height(line: Line): number {
  if (!narrow.get()) return 40;
  return line.head ? 88 : 56;
}

function sorted(readings: readonly StoredEvent[], points: Map<string, Point>): Line[] {
  const all = readings.map((event) => ({ event, point: points.get(pointKey({ d: event.d!, p: event.p! })) ?? { d: event.d!, p: event.p!, type: 'number' } }));
  all.sort((a, b) => (a.event.d! < b.event.d! ? -1 : a.event.d! > b.event.d! ? 1 : 0));
  return all.map((line, i) => (all[i - 1]?.event.d === line.event.d ? line : { ...line, head: line.point.dn || line.event.d! }));
}

function Row({ line, at, top, index }: { line: Line; at: number; top: number; index: number }) {
  const { event, point, head } = line;
  const value = { v: event.v ?? null, q: event.q ?? 'good', why: event.why, t: event.t } as const;
  const level = value.q === 'bad' ? 'down' : value.q === 'uncertain' ? 'look' : 'up';
  return (
    <div class={head ? 'state-row first' : 'state-row'} role="row" aria-rowindex={index + 1} style={{ top: `${top}px` }}>
      <span role="cell" class="state-device">{head && <a href={link('devices', event.d!)}>{head}</a>}</span>
      <span role="rowheader" class="point-name">{point.name || point.p}</span>
      <span role="cell" class="value-number">{written(point, value)}</span>
      <span role="cell" class="unit">{unitOf(point, value.v)}</span>
      <span role="cell" class="value-quality"><Shape level={level} /><span>{quality({ ...point, max_age_ms: undefined }, value)}</span></span>
      <span role="cell" class="age">{t('history.before', { age: duration(at - event.t) })}</span>
    </div>
  );
}

export function StateTable({ readings, at, points }: { readings: readonly StoredEvent[]; at: number; points: Map<string, Point> }) {
  useCell(narrow); // the heights follow it
  if (!readings.length) return <p class="quiet-line state-none">{t('history.nothing')}</p>;
  const lines = sorted(readings, points);
  return (
    <div class="state-table">
      <Virtual rows={lines} height={height} label={t('history.state')}
        draw={(line, index, top) => <Row key={pointKey(line.point)} line={line} at={at} top={top} index={index} />} />
    </div>
  );
}
