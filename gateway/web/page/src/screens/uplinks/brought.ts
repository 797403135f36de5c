/**
 * Files that were brought for a broker that may not come to be. They go when one leaves; the list of them outlives a page
 * that is loaded anew, and then they go when the next broker is added. What a configuration names the gateway never gives up.
 */
import { remove } from '../../api/client';

interface Brought {
  name: string;
  tab: string;
  at: number;
}

const KEY = 'sluice.brought';
/** Somebody may be at it in another tab. */
const OTHERS_MS = 3_600_000;

const tab = (): string => (sessionStorage[KEY] ??= String(Math.random()));

function listed(): Brought[] {
  try {
    return JSON.parse(localStorage[KEY]) as Brought[];
  } catch {
    return [];
  }
}

function list(all: readonly Brought[]): void {
  try {
    localStorage[KEY] = JSON.stringify(all);
  } catch {
    /* a private window keeps nothing */
  }
}

export function bring(name: string): void {
  list([...listed().filter((one) => one.name !== name), { name, tab: tab(), at: Date.now() }]);
}

/** It is here to stay: of no name all of this tab are. */
export function settle(name?: string): void {
  list(listed().filter((one) => (name ? one.name !== name : one.tab !== tab())));
}

/** Of this tab, and of those that were left long ago. */
export async function takeBack(): Promise<void> {
  const all = listed(), gone = all.filter((one) => one.tab === tab() || Date.now() - one.at > OTHERS_MS);
  list(all.filter((one) => !gone.includes(one)));
  await Promise.all(gone.map(({ name }) => remove(`/files/${encodeURIComponent(name)}`).catch(() => {})));
}
