/** Every point with its newest value: a cell each, so that a value that changes draws one number and no list. */
import { cell, type Cell } from '../lib/cell';
import { get } from './client';
import { listen } from './live';
import type { Point, Quality, Reading, Scalar } from './types';

export interface Value {
  v: Scalar;
  q: Quality;
  why?: string;
  /** When it was read; 0: never yet. */
  t: number;
}

const NOTHING: Value = { v: null, q: 'uncertain', t: 0 };

/** By "device/point", in the order of the configuration. */
export const points = cell<Map<string, Point> | null>(null);

const values = new Map<string, Cell<Value>>();

export const pointKey = (point: { d: string; p: string }): string => `${point.d}/${point.p}`;

export function valueOf(key: string): Cell<Value> {
  let made = values.get(key);
  if (!made) values.set(key, (made = cell(NOTHING)));
  return made;
}

function take(reading: Pick<Reading, 'd' | 'p'> & Partial<Value>): void {
  const target = valueOf(pointKey(reading));
  const t = reading.t ?? 0;
  if (t < target.get().t) return;
  target.set({ v: reading.v ?? null, q: reading.q ?? 'uncertain', why: reading.why, t });
}

export async function loadPoints(): Promise<void> {
  const answer = await get<{ points: Point[] }>('/points');
  for (const point of answer.points) take(point);
  points.set(new Map(answer.points.map((point) => [pointKey(point), point])));
}

/** Takes values as they come until what is returned is called; which ones is said by live.want. */
export function followValues(): () => void {
  const endings = [
    listen('values', (readings) => readings.forEach(take)),
    listen('points', () => void loadPoints().catch(() => {})),
  ];
  return () => endings.forEach((end) => end());
}
