/** Who is here: nobody yet, or an account with its role. */
import { cell } from '../lib/cell';
import { heardTime } from '../lib/clock';
import { language, languages, speakIn, type Language } from '../lib/text';
import { get, patch, post, useToken, whenForbidden, whenStranger } from './client';
import type { Role, Session } from './types';

/** null until the gateway has answered for the first time. */
export const session = cell<Session | null>(null);

function take(answer: Session): void {
  // Of another version than the page: what the page still has to load is not there any more.
  if ((session.get() ?? answer).gateway.version !== answer.gateway.version) return location.reload();
  useToken(answer.csrf);
  if (answer.time) heardTime(answer.time.t);
  session.set(answer);
}

export async function loadSession(): Promise<void> {
  take(await get<Session>('/session'));
}

/** Whoever logs in has the page in the language that the account has chosen, wherever that was: from its first sight on. */
export async function login(name: string, password: string): Promise<void> {
  await post('/login', { name, password });
  const answer = await get<Session>('/session');
  const wanted = languages.find((one) => one === answer.language);
  if (wanted) await speakIn(wanted).catch(() => {});
  take(answer);
}

/** Of this page at once, and of the account from now on. */
export function chooseLanguage(wanted: Language): void {
  language.set(wanted);
  patch('/session', { language: wanted }).catch(() => {});
}

export async function logout(): Promise<void> {
  await post('/logout');
  await loadSession();
}

export interface Setup {
  code: string;
  name: string;
  password: string;
  language: string;
  gateway: { id: string; name: string };
  t?: number;
}

/** Only whether the code is right; a wrong one throws. */
export const checkCode = (code: string): Promise<unknown> => post('/setup', { code });

export async function setUp(answers: Setup): Promise<void> {
  await post('/setup', answers);
  await loadSession();
}

/** The gateway's name in its configuration, which may have changed since. */
export function renamed(name = ''): void {
  const known = session.get();
  if (known && known.gateway.name !== name) session.set({ ...known, gateway: { ...known.gateway, name } });
}

const ranks: Record<Role, number> = { viewer: 0, operator: 1, owner: 2 };

/** Whether who is here may do what needs `role`. */
export function may(role: Role): boolean {
  const account = session.get()?.account;
  return !!account && ranks[account.role] >= ranks[role];
}

// Somebody logged in anew in another tab: as the same account one goes on with its token, and as another is shown as that.
whenForbidden(async (sent) => {
  const before = session.get()?.account?.name;
  await loadSession().catch(() => {});
  const now = session.get();
  return now?.csrf !== sent && now?.account?.name === before;
});

// Or there one has logged in, while nobody is known here.
addEventListener('visibilitychange', () => {
  if (!document.hidden && session.get()?.account === null) loadSession().catch(() => {});
});

whenStranger(() => {
  const known = session.get();
  if (known?.account) session.set({ ...known, account: null, csrf: null });
});
