/** Rates of counters: what each rose by, over a window that is long enough to be calm. */

const WINDOW_MS = 10_000;
const TRAIL = 120;

interface Track {
  samples: { t: number; value: number }[];
  /** The newest rates, one a sample, for a sparkline. */
  trail: number[];
}

export class Rates {
  private tracks = new Map<string, Track>();

  /** The counter stood at `value` at `t` (ms). One that fell began anew. */
  take(name: string, value: number, t: number): void {
    let track = this.tracks.get(name);
    if (!track) this.tracks.set(name, (track = { samples: [], trail: [] }));
    const newest = track.samples.at(-1);
    if (newest && (value < newest.value || t < newest.t)) track.samples = [];
    if (newest && t - newest.t < 200) return;
    track.samples.push({ t, value });
    while (track.samples.length > 2 && t - track.samples[1]!.t >= WINDOW_MS) track.samples.shift();
    const rate = this.of(name);
    if (rate !== null) track.trail.push(rate);
    if (track.trail.length > TRAIL) track.trail.shift();
  }

  /** Per second; null until there are two samples. */
  of(name: string): number | null {
    const samples = this.tracks.get(name)?.samples;
    if (!samples || samples.length < 2) return null;
    const first = samples[0]!, last = samples.at(-1)!;
    return ((last.value - first.value) * 1000) / (last.t - first.t);
  }

  trail(name: string): readonly number[] {
    return this.tracks.get(name)?.trail ?? [];
  }
}
