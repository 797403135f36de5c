/** The gateway's status: asked once, then kept fresh by the live stream; and the rates that two of them give. */
import { useEffect } from 'preact/hooks';
import { cell } from '../lib/cell';
import { heardTime } from '../lib/clock';
import { get } from './client';
import { listen } from './live';
import { Rates } from './rates';
import type { BusStatus, LiveBus, LiveStatus, Status } from './types';

const AGAIN_MS = 2_000;
/** While a screen shows what is in no part of the live stream. */
const FRESH_MS = 5_000;
/** After an event that tells of a change, so that a burst of them asks once. */
const SETTLED_MS = 700;

/** A bus with the sums of its devices, wherever they come from. */
export interface BusSums {
  up: number;
  down: number;
  /** Points of devices that answer, with values that are not good: as notGood says. */
  bad: number;
  requests: number;
  replies: number;
  percent: number;
}

export const status = cell<Status | null>(null);
export const sums = cell<Map<string, BusSums>>(new Map());
export const rates = new Rates();

let timer: ReturnType<typeof setTimeout> | undefined;
/** When the whole status was asked for last, by performance.now(). */
let asked = -Infinity;

/** Of a device or a line: on this page a value that can hardly be is one more that is not good. */
export const notGood = ({ bad, implausible }: { bad: number; implausible: number }): number => bad + implausible;

export function sumBus(bus: BusStatus): BusSums {
  const made = { up: 0, down: 0, bad: 0, requests: 0, replies: 0, percent: 0 };
  for (const device of bus.devices) {
    if (device.up) {
      made.up++;
      made.bad += notGood(device);
    } else made.down++;
    made.requests += device.requests;
    made.replies += device.replies;
    made.percent += device.bus_percent;
  }
  return made;
}

/** By this device's clock, which is not set while one looks, as the gateway's may be. */
function measure(now: Status, buses: Map<string, BusSums>): void {
  const t = performance.now();
  rates.take('stored', now.journal.stored, t);
  for (const [id, bus] of buses) rates.take(`replies/${id}`, bus.replies, t);
  for (const [id, consumer] of Object.entries(now.consumers)) rates.take(`acked/${id}`, consumer.acked, t);
}

function take(answer: Status): void {
  heardTime(answer.clock.t);
  const buses = new Map(answer.buses.map((bus) => [bus.id, sumBus(bus)]));
  measure(answer, buses);
  sums.set(buses);
  status.set(answer);
}

/** Asks for the whole status; again in a moment while the gateway is still starting or cannot be reached. */
export async function loadStatus(): Promise<void> {
  clearTimeout(timer);
  timer = undefined;
  asked = performance.now();
  try {
    const answer = await get<Status>('/status');
    if (answer.journal) return take(answer);
  } catch {
    /* told by the client as "away", or by the login */
  }
  later(AGAIN_MS);
}

function later(ms: number): void {
  timer ??= setTimeout(() => void loadStatus(), ms);
}

function moved(before: BusSums | undefined, now: BusSums): boolean {
  return !before || before.up !== now.up || before.down !== now.down || before.bad !== now.bad;
}

/** The same array where nothing is new, so that lists made of it stay as they are. */
function freshBuses(known: readonly BusStatus[], short: readonly LiveBus[]): BusStatus[] {
  const byId = new Map(short.map((bus) => [bus.id, bus]));
  const fresh = known.map((bus) => {
    const now = byId.get(bus.id);
    const same = !now || (now.error === bus.error && now.lent?.for_ms === bus.lent?.for_ms);
    return same ? bus : { ...bus, error: now.error, lent: now.lent };
  });
  return fresh.every((bus, i) => bus === known[i]) ? (known as BusStatus[]) : fresh;
}

function lay(short: LiveStatus): void {
  const known = status.get();
  if (!known || !short.journal || !short.config) return;
  if (short.config.fingerprint !== known.config.fingerprint) later(SETTLED_MS);
  const buses = new Map<string, BusSums>();
  for (const bus of short.buses) {
    const now = { up: bus.up, down: bus.down, bad: notGood(bus), requests: bus.requests, replies: bus.replies, percent: bus.bus_percent };
    if (moved(sums.get().get(bus.id), now)) later(SETTLED_MS);
    buses.set(bus.id, now);
  }
  const laid: Status = {
    ...known,
    config: short.config,
    clock: { ...known.clock, ...short.clock },
    identity: short.identity,
    journal: short.journal,
    uplinks: short.uplinks,
    consumers: short.consumers,
    buses: freshBuses(known.buses, short.buses),
  };
  measure(laid, buses);
  sums.set(buses);
  status.set(laid);
}

/** Follows the status until what is returned is called. */
export function followStatus(): () => void {
  void loadStatus();
  const endings = [
    listen('status', lay),
    listen('event', (event) => {
      if (['state', 'config', 'lifecycle', 'clock'].includes(event.k)) later(SETTLED_MS);
    }),
  ];
  return () => {
    clearTimeout(timer);
    timer = undefined;
    endings.forEach((end) => end());
  };
}

/**
 * For screens that show counters of each device, or how long the gateway runs: the whole status again and again while
 * somebody looks, one question at a time.
 */
export function useFreshStatus(): void {
  useEffect(() => {
    let gone = false;
    let next: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      if (!document.hidden && performance.now() - asked >= FRESH_MS) await loadStatus();
      if (!gone) next = setTimeout(() => void look(), Math.max(1_000, FRESH_MS - (performance.now() - asked)));
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(next);
    };
  }, []);
}
