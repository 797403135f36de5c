/** Asks the gateway. What goes wrong comes as a Refusal with a sentence that can be shown as it is. */
import { cell } from '../lib/cell';
import { said, t } from '../lib/text';

/** The gateway's answer was no (or none came: status 0). */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** What happened and why. */
    readonly sentence: string,
    /** What to do next; "" where there is nothing to say. */
    readonly next = '',
    /** All fields of the answer. */
    readonly fields: Record<string, unknown> = {},
  ) {
    super(sentence);
  }
}

/** Since when (ms) the gateway cannot be reached; null while it can. */
export const away = cell<number | null>(null);

/** What writing requests carry, to show that they come from this page. */
let csrf: string | null = null;
let onStranger: () => void = () => {};

export function useToken(token: string | null): void {
  csrf = token;
}

/** Called when the gateway does not know us any more: the session has ended. */
export function whenStranger(callback: () => void): void {
  onStranger = callback;
}

export function heard(): void {
  away.set(null);
}

export function lost(): void {
  if (away.get() === null) away.set(Date.now());
}

async function refusal(response: Response): Promise<Refusal> {
  let fields: Record<string, unknown> = {};
  try {
    fields = await response.json();
  } catch {
    /* not of the API: a proxy in between, perhaps */
  }
  const sentence = typeof fields.error === 'string' ? said(fields.error) : t('error.status', { status: response.status });
  return new Refusal(response.status, sentence, typeof fields.next === 'string' ? said(fields.next) : '', fields);
}

/** What carries the passphrase of a request whose body is a file, if there is one: a header holds ASCII, and no blank at its end. */
export function secret(passphrase: string): Record<string, string> {
  return passphrase ? { 'X-Sluice-Passphrase': encodeURIComponent(passphrase) } : {};
}

/** The response, whatever it holds. `path` is below /api/v1. */
export async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  if (csrf && options.method && options.method !== 'GET') headers.set('X-Sluice-CSRF', csrf);
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, { ...options, headers, credentials: 'same-origin' });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    lost();
    throw new Refusal(0, t('error.away'), t('error.away.next'));
  }
  heard();
  if (response.ok) return response;
  const refused = await refusal(response);
  if (response.status === 401) onStranger();
  throw refused;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask(path, { signal })).json() as Promise<T>;
}

/** Answers of a JSON object a line. */
export async function lines<T>(path: string, signal?: AbortSignal): Promise<T[]> {
  const text = await (await ask(path, { signal })).text();
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as T);
}

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await ask(path, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return (text ? JSON.parse(text) : {}) as T;
}

export const post = <T = unknown>(path: string, body?: unknown): Promise<T> => send('POST', path, body);
export const patch = <T = unknown>(path: string, body?: unknown): Promise<T> => send('PATCH', path, body);
export const put = <T = unknown>(path: string, body?: unknown): Promise<T> => send('PUT', path, body);
export const remove = <T = unknown>(path: string): Promise<T> => send('DELETE', path);

/** "?a=1&b=2" of what is given; fields that are undefined are left out. */
export function query(fields: Record<string, string | number | undefined>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length ? '?' + new URLSearchParams(given.map(([key, value]) => [key, String(value)])) : '';
}
