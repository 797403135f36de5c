/** Which keys of an entry are always there to be filled in, and what of the configuration hangs on one. */
import type { ConfigParsed, Edit, Step } from '../../api/config';
import { deep, editsBetween, type Fields, type Kind, type Options } from '../../api/options';

export type Listed = 'buses' | 'devices' | 'uplinks';

/** With `driver` of its line, where that matters. */
export function usualKeys(kind: Kind, driver = ''): readonly string[] {
  switch (kind) {
    case 'buses': return ['id', 'name', driver === 'modbus-tcp' ? 'host' : 'port', ...(driver === 'modbus-tcp' ? [] : ['line']), 'timeout'];
    case 'devices': return ['id', 'name', 'bus', ...(driver.startsWith('modbus') ? ['unit'] : []), 'profile', 'every'];
    case 'points': return ['id', 'name', ...(driver.startsWith('modbus') ? ['reg', 'type', 'scale'] : []), 'unit', 'every'];
    case 'uplinks': return ['id', 'url', 'root', 'layout', 'user', 'password_file', 'tls.ca', 'tls.cert', 'tls.key', 'proxy', 'commands'];
    case 'gateway': return ['name', 'timezone', 'hw'];
    case 'journal': return ['keep', 'max_age', 'commit', 'when_full'];
    case 'defaults': return ['every', 'report.on_change', 'report.at_least', 'report.dead_band'];
    case 'web': return ['https', 'http', 'names'];
  }
}

/** The ids that an entry had before: its history and its place in the journal go on under the new one. */
function was(kind: Kind, before: Fields, after: Fields): Fields {
  if (before.id === after.id || !before.id) return after;
  if (kind === 'uplinks') return { ...after, was: before.id };
  if (kind !== 'devices' && kind !== 'points') return after;
  const known = Array.isArray(before.was) ? before.was : [];
  return { ...after, was: [...known.filter((id) => id !== after.id), before.id] };
}

/** What makes of an entry what the form says. What has no place in the form stays. */
export function editsOfForm(kind: Kind, at: readonly Step[], entry: Fields, fields: Fields, options: Options, parsed: ConfigParsed): Edit[] {
  const after = deep(fields);
  for (const key of Object.keys(entry)) if (![...options.keys()].some((path) => path.split('.')[0] === key)) after[key] = entry[key];
  const edits = editsBetween(at, entry, was(kind, entry, after));
  if (kind === 'buses' && entry.id !== after.id)
    for (const device of parsed.devices ?? []) if (device.bus === entry.id) edits.push({ at: ['devices', { id: device.id }, 'bus'], set: after.id });
  return edits;
}

/** A bus goes with the devices on it: those first. */
export function editsToRemove(kind: Listed, id: string, parsed: ConfigParsed): Edit[] {
  const devices = kind === 'buses' ? (parsed.devices ?? []).filter((device) => device.bus === id) : [];
  return [...devices.map((device): Edit => ({ at: ['devices', { id: device.id }], remove: true })), { at: [kind, { id }], remove: true }];
}
