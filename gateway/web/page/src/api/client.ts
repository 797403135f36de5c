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

let onForbidden: (sent: string | null) => Promise<boolean> = async () => false;

/** Called when the gateway does not know us any more: the session has ended. */
export function whenStranger(callback: () => void): void {
  onStranger = callback;
}

/** Asked where the gateway forbids something: whether there is another token than was sent, to try it with. */
export function whenForbidden(callback: typeof onForbidden): void {
  onForbidden = callback;
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

let pressed: HTMLButtonElement | null = null;
addEventListener('click', (event) => {
  pressed = (event.target as Element).closest('button');
  if (pressed?.ariaBusy) {
    event.preventDefault();
    event.stopPropagation();
  }
  setTimeout(() => (pressed = null));
}, true);

/** What is pressed to change something waits for the answer: it is seen that something goes on, and nothing is asked twice. */
async function held<T>(coming: Promise<T>): Promise<T> {
  const button = pressed;
  if (!button) return coming;
  pressed = null;
  button.ariaBusy = 'true';
  try {
    return await coming;
  } finally {
    button.ariaBusy = null;
  }
}

/** What is lost on its way, the question or any part of the answer, is told as that. */
export async function arrived<T>(coming: Promise<T>, { signal }: RequestInit = {}): Promise<T> {
  try {
    return await coming;
  } catch (error) {
    if (signal?.aborted) throw error;
    lost();
    throw new Refusal(0, t('error.away'), t('error.away.next'));
  }
}

/** The response, whatever it holds. `path` is below /api/v1. */
export async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers), sent = csrf;
  if (sent && options.method) headers.set('X-Sluice-CSRF', sent);
  const asked = arrived(fetch(`/api/v1${path}`, { ...options, headers, credentials: 'same-origin' }), options);
  const response = await (options.method ? held(asked) : asked);
  heard();
  if (response.ok) return response;
  const refused = await refusal(response);
  if (response.status === 401) onStranger();
  if (response.status === 403 && (await onForbidden(sent))) return ask(path, options);
  throw refused;
}

/** All of what is answered. */
export const askText = async (path: string, options: RequestInit = {}): Promise<string> => arrived((await ask(path, options)).text(), options);

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return JSON.parse(await askText(path, { signal })) as T;
}

/** Of answers with a JSON object a line. */
export const jsonLines = <T>(text: string): T[] => text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as T);

export const lines = async <T>(path: string, signal?: AbortSignal): Promise<T[]> => jsonLines(await askText(path, { signal }));

/** A file as it is; answered by an object. */
export const sendFile = async <T>(method: string, path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<T> =>
  JSON.parse(await askText(path, { method, body, headers: { 'Content-Type': 'application/octet-stream', ...headers } })) as T;

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const text = await askText(path, {
    method,
    keepalive: method === 'DELETE', // a page that goes may have something to end
    headers: { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
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
