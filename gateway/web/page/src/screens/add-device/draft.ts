/** The device that is being added, as far as it is known, and the edits of the configuration that make it real. */
import type { Config, ConfigBus, ConfigDevice, Edit } from '../../api/config';

/** What is spoken on a port. */
export type SerialDriver = 'modbus-rtu' | 'modbus-ascii' | 'serial';

export type Place =
  | { bus: string; driver: string; on: string }
  | { port: string; line: string; driver: SerialDriver }
  | { host: string };

export interface Draft {
  place?: Place;
  /** What a line that is not there yet will be called. */
  busId?: string;
  unit: number;
  profile?: string;
  /** The test read found hardly anything of it. */
  doubt?: boolean;
  /** What the scan heard of its maker and model, for the search in the library. */
  heard?: string;
  points?: Record<string, unknown>[];
  /** What its display showed, by the points that were found by it. */
  shown?: Record<string, string>;
  /** How its registers are counted, where that is known. */
  numbering?: '0-based' | '40001';
  /** What it has besides, as the one that it is like. */
  like?: Record<string, unknown>;
  id?: string;
  name?: string;
  /** How often it is read; "" as usual. */
  every?: string;
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

export const driverAt = (place: Place): string => ('host' in place ? 'modbus-tcp' : place.driver);

/** Devices that can be asked for any register. Others speak lines of their own, which their profile knows. */
export const isModbus = (place: Place): boolean => driverAt(place).startsWith('modbus');

/** What a job takes as "frames" where it is not the usual. */
export const placeFrames = (place: Place): string | undefined => (driverAt(place) === 'modbus-ascii' ? 'ascii' : undefined);

export const busPlace = (bus: ConfigBus): Place => ({ bus: bus.id, driver: bus.driver, on: bus.driver === 'modbus-tcp' ? bus.host ?? bus.id : bus.port ?? bus.id });

const withoutUsualPort = (address: string): string => address.trim().replace(/:502$/, '');

/** The line that goes there already: a second connection would be a line of its own. */
export function busAt(config: Config, host: string): ConfigBus | undefined {
  return config.parsed.buses?.find((bus) => bus.driver === 'modbus-tcp' && bus.host && withoutUsualPort(bus.host) === withoutUsualPort(host));
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

/** The next unit number that no device of that line has. */
export function freeUnit(config: Config, place: Place | undefined, from: number): number {
  let unit = from;
  while (place && deviceAt(config, place, unit)) unit++;
  return unit;
}

export function newBusId(place: Place, config: Config): string {
  const taken = (config.parsed.buses ?? []).map((bus) => bus.id);
  if ('host' in place) return freeId(idOf(place.host.split(':')[0] ?? 'net') || 'net', taken);
  const port = 'port' in place ? place.port : '';
  const label = port.startsWith('board:') ? port.slice(6) : port.replace(/^.*\//, '').slice(0, 24);
  return freeId(idOf(label) || 'line', taken);
}

function newBus(place: Place, id: string): Record<string, unknown> | null {
  if ('bus' in place) return null;
  if ('host' in place) return { id, driver: 'modbus-tcp', host: place.host.includes(':') ? place.host : `${place.host}:502` };
  return { id, driver: place.driver, port: place.port, line: place.line };
}

/** What one device passes on to another like it: all but who and where it is. */
export function alike(device: ConfigDevice, config: Config): Draft {
  const bus = config.parsed.buses?.find((one) => one.id === device.bus);
  const place = bus && busPlace(bus);
  const { id: _id, name: _name, bus: _bus, unit = 1, was: _was, profile, points, every, ...like } = device;
  return { place, unit: freeUnit(config, place, unit + 1), profile, points, every: typeof every === 'string' ? every : undefined, like };
}

/** What a device of another model has, too. */
export function ofAnyModel(like: Draft['like']): Draft['like'] {
  if (!like) return like;
  const { only: _only, numbering: _numbering, ...rest } = like;
  return rest;
}

export function editsOf(draft: Draft, config: Config): Edit[] {
  const place = draft.place!;
  const bus = newBus(place, draft.busId || newBusId(place, config));
  const device: Record<string, unknown> = {
    id: draft.id, ...(draft.name && { name: draft.name }), bus: bus?.id ?? ('bus' in place ? place.bus : ''), ...(isModbus(place) && { unit: draft.unit }),
    ...(draft.every && { every: draft.every.replace(',', '.') }), ...draft.like,
  };
  if (draft.profile) device.profile = draft.profile;
  if (draft.points && (draft.like || !draft.profile)) device.points = draft.points;
  if (isModbus(place) && !draft.profile) device.numbering = draft.numbering ?? device.numbering ?? '0-based';
  return [...(bus ? [{ at: ['buses'], add: bus }] : []), { at: ['devices'], add: device }];
}
