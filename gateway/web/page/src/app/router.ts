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

addEventListener('hashchange', () => place.set(read()));

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
  history.replaceState(null, '', String(query) ? `${path}?${query}` : path);
  place.set(read());
}
