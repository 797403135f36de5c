/** How a line's second is spent: who takes how much of it, and whether all that is wanted of it fits. */
import type { BusStatus } from '../../api/types';
import type { Level } from '../../parts/state';

export interface Share {
  id: string;
  name: string;
  percent: number;
  up: boolean;
}

/** The largest first. */
export function shares(bus: BusStatus): Share[] {
  return bus.devices
    .map((device) => ({ id: device.id, name: device.name || device.id, percent: device.bus_percent, up: device.up }))
    .sort((a, b) => b.percent - a.percent);
}

/** From here on late answers have no room; from the second on the plan does not fit any more. */
const TIGHT = 70, FULL = 95;

export type Verdict = 'idle' | 'fits' | 'tight' | 'full';

export function verdict(percent: number): Verdict {
  if (percent >= FULL) return 'full';
  if (percent >= TIGHT) return 'tight';
  return percent > 0 ? 'fits' : 'idle';
}

export const verdictLevel: Record<Verdict, Level> = { idle: 'unknown', fits: 'up', tight: 'look', full: 'down' };

/** Each device of a Modbus TCP bus has a connection of its own, and waits for nobody. */
export const isShared = (bus: BusStatus): boolean => bus.driver !== 'modbus-tcp';
