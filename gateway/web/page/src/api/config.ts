/**
 * The configuration and its changes. A change is checked, shown, applied for a while, and goes back by itself unless
 * it is kept.
 */
import { cell } from '../lib/cell';
import { get, post } from './client';
import { listen } from './live';
import { renamed } from './session';

/** A key of an object, or the element of a list that has that id. */
export type Step = string | { id: string };

export type Edit =
  | { at: readonly Step[]; set: unknown }
  | { at: readonly Step[]; remove: true }
  | { at: readonly Step[]; add: unknown };

/** What is to become of the configuration: edits of it, or a whole text in its place. */
export type Proposal = readonly Edit[] | string;

const proposed = (what: Proposal) => (typeof what === 'string' ? { text: what } : { edits: what });

export interface Pending {
  change: string;
  by: string;
  /** When it goes back, ms by the gateway's clock. */
  until: number;
  confirmed?: boolean;
  why?: string;
}

export interface Config {
  text: string;
  revision: string;
  path: string;
  parsed: ConfigParsed;
  pending: Pending | null;
  refused?: string | null;
  writable?: boolean;
}

export interface ConfigParsed {
  gateway?: { id?: string; name?: string; timezone?: string };
  buses?: ConfigBus[];
  devices?: ConfigDevice[];
  uplinks?: ({ id: string; url: string } & Record<string, unknown>)[];
  [key: string]: unknown;
}

export type ConfigBus = { id: string; driver: string; port?: string; host?: string; line?: string } & Record<string, unknown>;
export type ConfigDevice = { id: string; name?: string; bus: string; unit?: number; profile?: string; points?: Record<string, unknown>[] } & Record<string, unknown>;

export interface Mistake {
  line?: number;
  column?: number;
  key?: string;
  sentence: string;
}

export interface Checked {
  ok: boolean;
  errors: Mistake[];
  difference: { at: string; from?: unknown; to?: unknown }[];
  lines: string;
  undelivered?: {uplink: string; events : number}[];
  meaning?: {
    buses?: { id: string; percent: number; requests_s: number }[];
    uplinks?: { id: string; mb_month: number; budget_mb_month?: number; warning?: string }[];
    outage_days?: number | null;
    words?: string[];
  };
  revision: string;
}

export interface Applied {
  change: string;
  until: number | null;
  why?: string;
}

/** How long a change is on trial. */
export const CONFIRM_S = 60;

/** The change that is on trial, whoever made it. */
export const pending = cell<Pending | null>(null);
/** What became of the one before, for a while; for the one who waits at the bar. */
export const ended = cell<'kept' | 'back' | null>(null);
/** Whose that was. */
export const endedBy = cell('');
/** The file's revision while a change was on trial: it has that afterwards when the change was kept. */
let tried = '';

/** Whoever asks may be the first to see that a trial is over: all of them tell how it ended. */
export async function loadConfig(): Promise<Config> {
  const before = pending.get();
  const answer = await get<Config>('/config');
  if (answer.pending) tried = answer.revision;
  pending.set(answer.pending);
  if (before) endedBy.set(before.by);
  renamed(answer.parsed.gateway?.name);
  if (before && !answer.pending && ended.get() === null) {
    // Once more: the file may have been read just before it went back.
    const { revision } = await get<Config>('/config').catch(() => answer);
    if (ended.get() === null) ended.set(revision === tried ? 'kept' : 'back');
  }
  return answer;
}

export const check = (what: Proposal): Promise<Checked> => post('/config/check', proposed(what));

export async function apply(what: Proposal, base: string, comment: string): Promise<Applied> {
  const answer = await post<Applied>('/config/apply', { ...proposed(what), base, comment: comment || undefined, confirm_s: CONFIRM_S });
  ended.set(null);
  await loadConfig().catch(() => {});
  return answer;
}

/** "anyway": also when a broker that was connected before is not yet again. */
export async function keep(change: string, anyway: boolean): Promise<Applied> {
  const answer = await post<Applied>('/config/confirm', { change, anyway: anyway || undefined });
  if (answer.until === null) ended.set('kept');
  await loadConfig().catch(() => {});
  return answer;
}

export async function goBack(change: string): Promise<void> {
  await post('/config/revert', { change });
  ended.set('back');
  await loadConfig().catch(() => {});
}

/** Follows whether a change is on trial until what is returned is called. */
export function followChanges(): () => void {
  let gone = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = async (): Promise<void> => {
    clearTimeout(timer);
    await loadConfig().catch(() => {});
    if (!gone && pending.get()) timer = setTimeout(() => void look(), 2_000);
  };
  void look();
  const endings = [
    listen('event', (event) => void (event.k === 'config' && look())),
    pending.watch(() => {
      if (pending.get() && !gone) {
        clearTimeout(timer);
        timer = setTimeout(() => void look(), 2_000);
      }
    }),
  ];
  return () => {
    gone = true;
    clearTimeout(timer);
    endings.forEach((end) => end());
  };
}
