/** Where one is: the part of the address behind "#/", so that the server knows one page only. */
import { cell, useCell } from '../lib/cell';
import { decoded } from '../lib/decoded';

export interface Place {
  /** ["devices", "boiler"] */
  path: readonly string[];
  query: URLSearchParams;
}

function read(): Place {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

export const place = cell<Place>(read());

/** How far down one was at each step of the browser's history, by what marks it there. */
const depths = new Map<number, number>();

function mark(): number {
  if (!history.state) history.replaceState(Math.random(), '');
  return history.state as number;
}

history.scrollRestoration = 'manual';
let here = mark();

addEventListener('hashchange', () => {
  depths.set(here, scrollY);
  here = mark();
  place.set(read());
});

/** A screen begins at its top, and as it was left where one comes back to it. */
export const toDepth = (): void => scrollTo(0, depths.get(here) ?? 0);

export const usePlace = (): Place => useCell(place);

/** "#/devices/boiler" */
export function link(...path: string[]): string {
  return '#/' + path.map(encodeURIComponent).join('/');
}

export function go(...path: string[]): void {
  location.hash = link(...path);
}

/** Changes what is behind the "?" without a step in the browser's history: a filter that is typed. */
export function setQuery(fields: Record<string, string>): void {
  const query = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== ''));
  const path = location.hash.split('?')[0] || '#/';
  history.replaceState(here, '', String(query) ? `${path}?${query}` : path);
  place.set(read());
}
