/** The device that is being added, as far as it is known, and the edits of the configuration that make it real. */
import type { Config, ConfigDevice, Edit } from '../../api/config';

export type Place =
  | { bus: string; driver: string; on: string }
  | { port: string; line: string }
  | { host: string };

export interface Draft {
  place?: Place;
  unit: number;
  profile?: string;
  /** What the scan heard of its maker and model, for the search in the library. */
  heard?: string;
  points?: Record<string, unknown>[];
  id?: string;
  name?: string;
}

/** What a job takes as "on": a bus's id, a port, a host. */
export function placeOn(place: Place): string {
  if ('bus' in place) return place.on;
  return 'port' in place ? place.port : place.host;
}

/** The settings of a line that is not configured yet. */
export function placeLine(place: Place): string | undefined {
  return 'port' in place && !('bus' in place) ? place.line : undefined;
}

/** The device that is configured there already. */
export function deviceAt(config: Config, place: Place, unit: number): ConfigDevice | undefined {
  return 'bus' in place ? config.parsed.devices?.find((device) => device.bus === place.bus && (device.unit ?? 1) === unit) : undefined;
}

/** Whether the gateway reads devices on that line, which have to wait while it is lent. Those of a network have a connection each. */
export function isPolled(config: Config, place: Place): boolean {
  return 'bus' in place && place.driver !== 'modbus-tcp' && !!config.parsed.devices?.some((device) => device.bus === place.bus);
}

/** "Main incomer, hall 3" -> "main-incomer-hall-3" */
export function idOf(name: string): string {
  const plain = name.toLowerCase().replace(/ä/g, 'ae').replace(/ö/g, 'oe').replace(/ü/g, 'ue').replace(/ß/g, 'ss').normalize('NFD').replace(/[\u0300-\u036f]/g, '');
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40);
}

/** One that nobody has: "meter", "meter-2", … */
export function freeId(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  for (let n = 2; ; n++) if (!taken.includes(`${wanted}-${n}`)) return `${wanted}-${n}`;
}

function newBus(place: Place, taken: readonly string[]): Record<string, unknown> | null {
  if ('bus' in place) return null;
  if ('host' in place) return { id: freeId(idOf(place.host.split(':')[0] ?? 'net'), taken), driver: 'modbus-tcp', host: place.host.includes(':') ? place.host : `${place.host}:502` };
  const label = place.port.startsWith('board:') ? place.port.slice(6) : place.port.replace(/^.*\//, '').slice(0, 24);
  return { id: freeId(idOf(label), taken), driver: 'modbus-rtu', port: place.port, line: place.line };
}

export function editsOf(draft: Draft, config: Config): Edit[] {
  const place = draft.place!;
  const buses = (config.parsed.buses ?? []).map((bus) => bus.id);
  const bus = newBus(place, buses);
  const device: Record<string, unknown> = { id: draft.id, ...(draft.name && { name: draft.name }), bus: bus?.id ?? ('bus' in place ? place.bus : ''), unit: draft.unit };
  if (draft.profile) device.profile = draft.profile;
  else Object.assign(device, { numbering: '0-based', points: draft.points });
  return [...(bus ? [{ at: ['buses'], add: bus }] : []), { at: ['devices'], add: device }];
}
