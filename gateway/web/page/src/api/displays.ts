/** What displays show, kept beside what is read: by hand in the report, and of a new device what its points were found by. */
import { put } from './client';
import { loadPoints, pointKey, valueOf } from './points';
import type { Display } from './types';

const AGAIN_MS = 2_000;
const TRIES = 30;

export const note = (d: string, p: string, shown: string): Promise<Display> => put(`/displays/${d}/${p}`, { shown });

/** Notes what was shown, by point, once each of them is read. */
export async function noteWhenRead(d: string, shown: Record<string, string>): Promise<void> {
  const left = new Map(Object.entries(shown));
  for (let tries = 0; left.size && tries < TRIES; tries++) {
    await new Promise((done) => setTimeout(done, AGAIN_MS));
    await loadPoints().catch(() => {});
    for (const [p, text] of left) {
      if (valueOf(pointKey({ d, p })).get().q !== 'good') continue;
      left.delete(p);
      await note(d, p, text).catch(() => {});
    }
  }
}
