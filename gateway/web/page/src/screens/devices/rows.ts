/** The list as rows: a device, then its points. */
import { pointKey } from '../../api/points';
import { notGood } from '../../api/status';
import type { BusStatus, DeviceStatus, Point } from '../../api/types';
import { narrow } from '../../lib/narrow';

export interface Row {
  key: string;
  bus: BusStatus;
  device: DeviceStatus;
  /** Absent in the row of the device itself. */
  point?: Point;
  /** The last of its device. */
  last?: boolean;
}

export interface Wishes {
  search: string;
  /** Only devices that do not answer, or have bad values. */
  troubles: boolean;
  /** Devices without their values. */
  brief: boolean;
}

/** As in devices.css, which stacks a point's row on a phone. */
export function rowHeight(row: Row): number {
  if (!row.point) return 48;
  return (narrow.get() ? 56 : 36) + (row.last ? 16 : 0);
}

function fits(words: readonly string[], ...texts: (string | undefined)[]): boolean {
  const whole = texts.join(' ').toLowerCase();
  return words.every((word) => whole.includes(word));
}

export function listRows(buses: readonly BusStatus[], points: Map<string, Point>, { search, troubles, brief }: Wishes): Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const ofDevice = new Map<string, Point[]>();
  for (const point of points.values()) {
    const list = ofDevice.get(point.d);
    if (list) list.push(point);
    else ofDevice.set(point.d, [point]);
  }
  const rows: Row[] = [];
  for (const bus of buses)
    for (const device of bus.devices) {
      if (troubles && device.up && !notGood(device)) continue;
      const own = ofDevice.get(device.id) ?? [];
      const named = fits(words, device.id, device.name, bus.id, device.profile);
      const shown = named ? own : own.filter((point) => fits(words, device.id, device.name, bus.id, point.p, point.name));
      if (!named && !shown.length) continue;
      const head: Row = { key: device.id, bus, device };
      rows.push(head);
      if (!brief) shown.forEach((point, i) => rows.push({ key: pointKey(point), bus, device, point, last: i === shown.length - 1 }));
    }
  return rows;
}
