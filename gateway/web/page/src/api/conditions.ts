/** What is not as it should be, worst first: what happened, why, what to do next, and where. */
import { number } from '../lib/format';
import { said, t, told } from '../lib/text';
import type { Level } from '../parts/state';
import { notGood } from './status';
import type { BusStatus, DeviceStatus, Status, UplinkStatus } from './types';
import { uplinkWord } from './uplink';

export interface Condition {
  /** The same as long as it is the same trouble. */
  key: string;
  level: Extract<Level, 'down' | 'look' | 'paused'>;
  what: string;
  why?: string;
  next?: string;
  /** Where in the page: parts of the address. */
  at?: readonly string[];
  /** Since when, ms. */
  since?: number;
}

const DEVICES_EACH = 4;

function ofGateway(now: Status): Condition[] {
  const found: Condition[] = [];
  if (now.journal.error)
    found.push({ key: 'journal', level: 'down', what: t('trouble.journal'), why: said(now.journal.error), next: t('trouble.journal.next'), at: ['system'] });
  if (now.identity)
    found.push({ key: 'identity', level: 'down', what: t('moved.asked'), why: t('moved.held'), next: t('trouble.identity.next'), at: ['system'], since: now.identity.since });
  if (now.clock.trust === 'unset')
    found.push({ key: 'clock', level: 'look', what: t('trouble.clock'), why: now.clock.why ? said(now.clock.why) : t('trouble.clock.why'), next: t('trouble.clock.next'), at: ['system'] });
  if (now.config.refused)
    found.push({ key: 'config', level: 'look', what: t('trouble.config'), why: said(now.config.refused.why), next: t('trouble.config.next'), at: ['system'], since: now.config.refused.at });
  return found;
}

/** What to do about one that does not answer in time. */
export function deviceHelp({ late_ms, why, help = '' }: DeviceStatus): string {
  return late_ms ? t('device.late', { ms: late_ms }) : told(`help.${why}`, help);
}

function ofDevice(bus: BusStatus, device: DeviceStatus): Condition {
  return {
    key: `device/${device.id}`,
    level: 'down',
    what: t('trouble.device', { name: device.name || device.id, bus: bus.id }),
    why: device.why && told(`why.${device.why}`, device.why),
    next: device.why && deviceHelp(device),
    at: ['devices', device.id],
  };
}

/** It answers, and some of what it is asked for it has not, gives no value of, or one that can hardly be. */
function badPoints(device: DeviceStatus): Condition {
  const refused = device.learnt.points?.[0], why = refused?.why || (device.implausible ? 'implausible' : '');
  return {
    key: `bad/${device.id}`,
    level: 'look',
    what: t('trouble.bad', { bad: notGood(device), of: device.points, name: device.name || device.id }),
    why: why && told(`why.${why}`, why),
    next: device.doubt ? t('test.doubt') : refused && t('trouble.bad.refused'),
    at: ['devices', device.id],
  };
}

/** A line on which nothing answers is one trouble and not one for each device. */
function ofBus(bus: BusStatus): Condition[] {
  const at = ['buses', bus.id];
  if (bus.error)
    return [{ key: `bus/${bus.id}`, level: 'down', what: t('trouble.bus', { bus: bus.id }), why: said(bus.error), next: t('trouble.bus.next'), at }];
  if (bus.lent)
    return [{ key: `lent/${bus.id}`, level: 'paused', what: t('trouble.lent', { bus: bus.id, to: bus.lent.to }), next: t('trouble.lent.next'), at }];
  const down = bus.devices.filter((device) => !device.up && device.why), bad = bus.devices.filter((device) => device.up && (notGood(device) || device.doubt));
  const first = down[0];
  if (first && down.length === bus.devices.length && down.length > 1)
    return [{ key: `bus/${bus.id}`, level: 'down', what: t('trouble.line', { bus: bus.id, n: down.length }), why: told(`why.${first.why}`, first.why!), next: t('trouble.line.next'), at }];
  const each = down.slice(0, DEVICES_EACH).map((device) => ofDevice(bus, device));
  const more = down.length - each.length;
  if (more > 0)
    each.push({ key: `more/${bus.id}`, level: 'down', what: t('trouble.more', { n: more, bus: bus.id }), at: ['devices'] });
  each.push(...bad.slice(0, DEVICES_EACH).map(badPoints));
  const others = bad.slice(DEVICES_EACH), sum = (of: (device: DeviceStatus) => number): number => others.reduce((all, device) => all + of(device), 0);
  if (others.length)
    each.push({ key: `bad/more/${bus.id}`, level: 'look', what: t('trouble.bad', { bad: sum(notGood), of: sum(({ points }) => points), name: bus.id }), at: ['devices'] });
  return each;
}

function ofUplink(uplink: UplinkStatus, waiting: number): Condition[] {
  const at = ['uplinks', uplink.id], found: Condition[] = [];
  if (uplink.state !== 'online')
    found.push({
      key: `uplink/${uplink.id}`,
      level: uplink.error ? 'down' : 'look',
      what: t('trouble.uplink', { uplink: uplink.id, state: uplinkWord(uplink) }),
      why: said(uplink.error),
      next: t('trouble.uplink.next', { n: waiting, count: number(waiting) }),
      at,
      since: uplink.since,
    });
  else if (!uplink.delivery_proven && uplink.error)
    found.push({ key: `proof/${uplink.id}`, level: 'look', what: t('trouble.unproven', { uplink: uplink.id }), why: said(uplink.error), at });
  if (uplink.alarm && uplink.alarm !== uplink.error)
    found.push({ key: `alarm/${uplink.id}`, level: 'look', what: t('trouble.alarm', { uplink: uplink.id }), why: said(uplink.alarm), at });
  return found;
}

/** Nothing is read yet: no device is configured. */
export const isUnset = (now: Status): boolean => !now.buses.some((bus) => bus.devices.length);

const order = { down: 0, look: 1, paused: 2 };

export function conditions(now: Status): Condition[] {
  return [
    ...ofGateway(now),
    ...now.uplinks.flatMap((uplink) => ofUplink(uplink, now.consumers[`uplink/${uplink.id}`]?.pending ?? uplink.backlog)),
    ...now.buses.flatMap(ofBus),
  ].sort((a, b) => order[a.level] - order[b.level]);
}
