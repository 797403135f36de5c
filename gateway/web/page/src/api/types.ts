/** What the gateway answers: the fields that the page reads, named as in docs/api.md. Others may come. */

export type Role = 'viewer' | 'operator' | 'owner';
export type Trust = 'unset' | 'free-running' | 'synchronised';
export type Quality = 'good' | 'uncertain' | 'bad';
/** null where the reading is bad; a text where the number is beyond 2^53. */
export type Scalar = number | boolean | string | null;

export interface Session {
  setup: boolean;
  account: { name: string; role: Role } | null;
  csrf: string | null;
  language?: string;
  gateway: { id: string; name: string; version: string };
  time?: { t: number; trust: Trust };
}

/** What somebody read off a display, beside what the gateway had read then. */
export interface Display {
  d: string;
  p: string;
  shown: string;
  at: number;
  by: string;
  v: Scalar;
  t?: number;
  difference?: number;
}

export type Dropped = Record<string, number>;

export interface Journal {
  epoch: string;
  produced: number;
  stored: number;
  refused: number;
  waiting: number;
  oldest: number;
  newest: number;
  oldest_t: number;
  newest_t: number;
  bytes: number;
  keep_bytes: number;
  outage_days?: number | null;
  commit_ms: number;
  last_sync_us: number;
  worst_sync_us?: number;
  dropped: Dropped;
  error: string;
}

export interface Learnt {
  max_block: number;
  cuts: number;
  refused: number;
  identity?: Record<string, string>;
  points?: { id: string; reg: number; function: number; why: string; help: string }[];
}

export interface DeviceStatus {
  id: string;
  name: string;
  profile: string;
  unverified?: boolean;
  points: number;
  /** How many of them were bad when they were last read. */
  bad: number;
  /** The same of those whose values can hardly be. */
  implausible: number;
  /** Why it seems to be another model. */
  doubt?: string;
  up: boolean;
  why?: string;
  help?: string;
  requests: number;
  replies: number;
  timeouts: number;
  corrupt: number;
  unexpected: number;
  exceptions: number;
  reconnects: number;
  round_trip_us: number;
  age_ms?: number;
  next_probe_ms?: number;
  /** It answers, but only so long after it was asked, when nobody waits any more. */
  late_ms?: number;
  bus_percent: number;
  turnaround_us: number;
  learnt: Learnt;
}

export interface BusStatus {
  id: string;
  driver: string;
  error: string;
  lent?: { to: string; for_ms: number } | null;
  devices: DeviceStatus[];
}

export interface UplinkStatus {
  id: string;
  url: string;
  state: string;
  since: number;
  error: string;
  /** What kind of error that is: "untrusted", "refused", … */
  cause: string;
  alarm: string;
  mqtt: string;
  tls: string;
  delivery_proven: boolean;
  connects: number;
  published: number;
  acknowledged: number;
  refused: number;
  replayed: number;
  bytes: number;
  in_flight: number;
  backlog: number;
  next_try_ms?: number;
  /** Who drills it, while somebody does. */
  drill?: string;
}

export interface Consumer {
  low: number;
  acked: number;
  pending: number;
  dropped: Dropped;
}

/** How far the clock is trusted: by whom it was set, and why it is not. */
export interface Clock {
  trust: Trust;
  by: 'nobody' | 'machine' | 'server' | 'person' | 'receiver';
  behind: boolean;
  why: string;
}

/** It is on another machine than before: replaced or copied? */
export interface Identity {
  state: 'asked' | 'copied';
  since: number;
}

export interface Status {
  schema: number;
  id: string;
  name: string;
  version: string;
  uptime_s: number;
  config: { path: string; fingerprint: string; since: number; refused?: { at: number; why: string } };
  clock: { t: number } & Clock;
  /** Only while it is asked. */
  identity?: Identity;
  journal: Journal;
  buses: BusStatus[];
  uplinks: UplinkStatus[];
  consumers: Record<string, Consumer>;
}

/** The status of the live stream: a bus has sums in place of its devices. */
export interface LiveBus {
  id: string;
  error: string;
  lent?: { to: string; for_ms: number } | null;
  up: number;
  down: number;
  bad: number;
  implausible: number;
  requests: number;
  replies: number;
  bus_percent: number;
}

export interface LiveStatus {
  config: Status['config'];
  clock: Clock;
  identity?: Identity;
  journal: Journal;
  buses: LiveBus[];
  uplinks: UplinkStatus[];
  consumers: Record<string, Consumer>;
}

export interface Point {
  d: string;
  p: string;
  dn?: string;
  name?: string;
  bus?: string;
  unit?: string;
  type: string;
  enum?: Record<string, string>;
  write?: { min?: number; max?: number; step?: number };
  every_ms?: number;
  max_age_ms?: number;
  decimals?: number;
  v?: Scalar;
  q?: Quality;
  why?: string;
  t?: number;
}

export interface Reading {
  d: string;
  p: string;
  t: number;
  v: Scalar;
  q: Quality;
  why?: string;
}

/** A stored event: docs/mqtt.md tells its kinds. */
export interface StoredEvent {
  n: number;
  epoch?: string;
  k: string;
  t: number;
  d?: string;
  p?: string;
  u?: string;
  b?: string;
  v?: Scalar;
  q?: Quality;
  why?: string;
  help?: string;
  id?: string;
  by?: string;
  ok?: boolean;
  lost?: [number, number];
  count?: number;
}

export interface LogLine {
  t: number;
  level: string;
  part: string;
  words: string;
}
