/**
 * One stream of the gateway's events for the whole page. Screens say what they want of it; the browser resumes it
 * where it broke off (Last-Event-ID), and a stream that stays silent for longer than two beats is opened anew.
 */
import { useEffect } from 'preact/hooks';
import { heard, lost } from './client';
import { loadSession } from './session';
import type { LiveStatus, LogLine, Reading, StoredEvent } from './types';

const BEAT_MS = 15_000;
const SILENCE_MS = 2 * BEAT_MS + 5_000;
const RETRY_MS = 3_000;
const HIDDEN_MS = 10_000;

interface Kinds {
  values: Reading[];
  status: LiveStatus;
  event: StoredEvent;
  log: LogLine;
  /** The list of points has changed. */
  points: unknown;
  /** Nothing is heard for a while. */
  pause: undefined;
}

type Kind = keyof Kinds;
type Hearer<K extends Kind> = (data: Kinds[K]) => void;

const hearers: { [K in Kind]: Set<Hearer<K>> } = {
  values: new Set(),
  status: new Set(),
  event: new Set(),
  log: new Set(),
  points: new Set(),
  pause: new Set(),
};

/** What is wanted, and how many want it: "all", "boiler", "boiler/flow". */
const wanted = new Map<string, number>();

let source: EventSource | null = null;
let open = '';
let allowed = false;
let last = 0;
let retry: ReturnType<typeof setTimeout> | undefined;
let settling = false;
let hidden = false;
let hiding: ReturnType<typeof setTimeout> | undefined;
/** Behind it all events are still to be told. */
let lastId = '';

function address(): string {
  if (hidden && !hearers.log.size) return '';
  const values = wanted.has('all') ? 'all' : [...wanted.keys()].sort().join(',');
  const streams = [
    hearers.status.size > 0 && 'status',
    hearers.event.size > 0 && 'events',
    hearers.log.size > 0 && 'log',
  ].filter(Boolean);
  if (!values && !streams.length) return '';
  const fields = new URLSearchParams();
  if (values) fields.set('values', values);
  if (streams.length) fields.set('with', streams.join(','));
  return `/api/v1/live?${fields}`;
}

function hear<K extends Kind>(kind: K): void {
  source!.addEventListener(kind, (message) => {
    last = Date.now();
    heard();
    lastId = (message as MessageEvent).lastEventId || lastId;
    const data = JSON.parse((message as MessageEvent<string>).data) as Kinds[K];
    for (const hearer of [...hearers[kind]]) hearer(data);
  });
}

function connect(): void {
  clearTimeout(retry);
  source?.close();
  source = null;
  open = allowed ? address() : '';
  if (!open) return;
  last = Date.now();
  source = new EventSource(`${open}&last=${lastId}`);
  source.addEventListener('open', () => {
    last = Date.now();
    heard();
  });
  source.addEventListener('beat', () => (last = Date.now()));
  (Object.keys(hearers) as Kind[]).forEach(hear);
  source.addEventListener('error', broke);
}

/** Either the browser tries again by itself, or the gateway said no: then it matters whether we are still known. */
function broke(): void {
  if (source?.readyState === EventSource.CONNECTING) lost();
  if (source?.readyState !== EventSource.CLOSED) return;
  source = null;
  loadSession().catch(() => {});
  clearTimeout(retry);
  retry = setTimeout(connect, RETRY_MS);
}

/** Several screens change their wishes at once: one new stream is enough. */
function settle(): void {
  if (settling) return;
  settling = true;
  queueMicrotask(() => {
    settling = false;
    if ((allowed ? address() : '') !== open) connect();
  });
}

setInterval(() => {
  if (source && Date.now() - last > SILENCE_MS) {
    lost();
    connect();
  }
}, 5_000);

// Of the few connections that a browser has to one gateway a tab that nobody looks at keeps none: with six of them all
// others would wait for ever. Only a log goes on, of which nothing is told later.
function see(): void {
  const hide = (is: boolean) => {
    hidden = is;
    if (is) hearers.pause.forEach((hearer) => hearer(undefined));
    settle();
  };
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(hide, HIDDEN_MS, true);
  else hide(false);
}

addEventListener('visibilitychange', see);
see(); // one that was opened behind another tab is not told that it is hidden

/** Whether the page may listen: once somebody has logged in. */
export function allowLive(yes: boolean): void {
  allowed = yes;
  settle();
}

/** Hears a kind of event until what is returned is called. */
export function listen<K extends Kind>(kind: K, hearer: Hearer<K>): () => void {
  hearers[kind].add(hearer);
  settle();
  return () => {
    hearers[kind].delete(hearer);
    settle();
  };
}

/** Wants the values of "all", of a device ("boiler") or of a point ("boiler/flow"). */
export function want(what: string): () => void {
  wanted.set(what, (wanted.get(what) ?? 0) + 1);
  settle();
  return () => {
    const left = wanted.get(what)! - 1;
    if (left > 0) wanted.set(what, left);
    else wanted.delete(what);
    settle();
  };
}

export function useWant(what: string): void {
  useEffect(() => want(what), [what]);
}

export function useLive<K extends Kind>(kind: K, hearer: Hearer<K>): void {
  useEffect(() => listen(kind, hearer), [kind]);
}
