/** A reading: number, unit, age and quality, which never part. */
import { valueOf, type Value as Held } from '../api/points';
import type { Point } from '../api/types';
import { useCell } from '../lib/cell';
import { gatewayNow, second } from '../lib/clock';
import { isInstant, measured } from '../lib/format';
import { t, told } from '../lib/text';
import { Age } from './age';
import { Shape, type Level } from './state';

/** The value as people read it; "—" where there is none. */
export function written(point: Point, value: Held): string {
  const { v } = value;
  if (v === null || v === undefined) return t('value.none');
  const named = point.enum?.[String(Number(v))] ?? point.enum?.[String(v)];
  if (named) return named;
  if (typeof v === 'boolean') return v ? t('value.on') : t('value.off');
  if (typeof v === 'number') return measured(v, point.unit, point.decimals);
  return v;
}

/** What stands behind it: nothing where there is no number, or where it is a moment. */
export function unitOf(point: Point, v: Held['v'] | undefined): string {
  return v === null || v === undefined || isInstant(v, point.unit) ? '' : point.unit ?? '';
}

/** Older than its point allows: nothing says any more that it still holds. */
export function isStale(point: Point, value: Held): boolean {
  return !!point.max_age_ms && value.t > 0 && gatewayNow() - value.t > point.max_age_ms;
}

export function levelOf(point: Point, value: Held): Level {
  if (!value.t) return 'unknown';
  if (value.q === 'bad') return 'down';
  return value.q === 'uncertain' || isStale(point, value) ? 'look' : 'up';
}

/** The quality in a word, with its reason where it is not good. */
export function quality(point: Point, value: Held): string {
  if (!value.t) return t('quality.unread');
  if (value.q === 'good' && isStale(point, value)) return t('quality.stale');
  if (value.why) return told(`why.${value.why}`, value.why);
  return t(`quality.${value.q}`);
}

export function Value({ point, id }: { point: Point; id: string }) {
  const value = useCell(valueOf(id));
  useCell(second); // it may grow stale without a new reading
  return (
    <span class="value">
      <span class="value-number">{written(point, value)}</span>
      <span class="unit">{unitOf(point, value.v)}</span>
      <span class="value-quality">
        <Shape level={levelOf(point, value)} />
        <span>{quality(point, value)}</span>
      </span>
      <Age t={value.t} />
    </span>
  );
}
