/** The last values of a point, for its sparkline: what was heard since the page was opened, behind what the journal had before. */
import { cell, type Cell } from '../lib/cell';
import { gatewayNow } from '../lib/clock';
import { get, query } from './client';
import { listen } from './live';
import { pointKey } from './points';

export const TRAIL = 60;
const PAST_MS = 30 * 60_000;
const AT_ONCE = 3;

const trails = new Map<string, Cell<readonly (number | null)[]>>();
const waiting: { d: string; p: string }[] = [];
const asked = new Set<string>();
let running = 0;

export function trailOf(key: string): Cell<readonly (number | null)[]> {
  let made = trails.get(key);
  if (!made) trails.set(key, (made = cell<readonly (number | null)[]>([])));
  return made;
}

/** Follows what is heard until what is returned is called. */
export function followTrails(): () => void {
  const endings = [listen('pause', () => trails.forEach((trail) => trail.set([...trail.get(), null]))), listen('values', (readings) => {
    for (const reading of readings) {
      const trail = trails.get(pointKey(reading));
      if (!trail) continue;
      const value = typeof reading.v === 'number' ? reading.v : typeof reading.v === 'boolean' ? Number(reading.v) : null;
      trail.set([...trail.get(), value].slice(-TRAIL));
    }
  })];
  return () => endings.forEach((end) => end());
}

async function fetchOne(point: { d: string; p: string }): Promise<void> {
  running++;
  try {
    const to = gatewayNow();
    const past = await get<{ avg: (number | null)[] }>('/series' + query({ device: point.d, point: point.p, from: to - PAST_MS, to, buckets: TRAIL }));
    const trail = trailOf(pointKey(point));
    trail.set([...past.avg, ...trail.get()].slice(-TRAIL));
  } catch {
    /* then it begins with what is heard */
  }
  running--;
  next();
}

function next(): void {
  while (running < AT_ONCE && waiting.length) void fetchOne(waiting.shift()!);
}

/** Asks the journal once for what was before; a few points at a time. */
export function wantPast(point: { d: string; p: string }): void {
  const key = pointKey(point);
  if (asked.has(key)) return;
  asked.add(key);
  waiting.push(point);
  next();
}
