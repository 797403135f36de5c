/** The frame around every screen: the rail (a bar below on a phone), whether the gateway is heard, and who is here. */
import { useEffect, useState } from 'preact/hooks';
import { away } from '../api/client';
import { chooseLanguage, logout, may } from '../api/session';
import { followStatus } from '../api/status';
import type { Session } from '../api/types';
import { useCell } from '../lib/cell';
import { clockTime } from '../lib/format';
import { language, languageNames, languages, t } from '../lib/text';
import { Choice } from '../parts/field';
import { Guard } from '../parts/guard';
import { Notice } from '../parts/notice';
import { ChangeBar } from './change-bar';
import { Icon } from './icon';
import { Mark } from './mark';
import { link, usePlace } from './router';
import { screens, type ScreenEntry } from './screens';
import { theme, themes, type Theme } from './theme';
import { Troubles } from './troubles';

const seen = (): ScreenEntry[] => screens.filter((entry) => !entry.role || may(entry.role));

function RailLink({ entry, here }: { entry: ScreenEntry; here: boolean }) {
  return (
    <li class={entry.minor ? 'minor' : undefined}>
      <a class="rail-link" href={link(entry.path)} aria-current={here ? 'page' : undefined}>
        <Icon name={entry.icon} />
        <span>{t(entry.name)}</span>
        {entry.path === '' && <Troubles />}
      </a>
    </li>
  );
}

/** Language, colours and logging out: small things that one looks for in one place. */
function Account({ session }: { session: Session }) {
  const account = session.account!;
  const themeNames = themes.map((key): [Theme, string] => [key, t(`theme.${key}`)]);
  return (
    <div class="account">
      <p class="account-name">
        <Icon name="account" />
        <span>{account.name}{account.name !== account.role && <small>{t(`role.${account.role}`)}</small>}</span>
      </p>
      <Choice label={t('account.theme')} value={useCell(theme)} choices={themeNames} onChoice={(chosen) => theme.set(chosen)} />
      <Choice label={t('account.language')} value={useCell(language)}
        choices={languages.map((key) => [key, languageNames[key]] as const)} onChoice={chooseLanguage} />
      <button class="button quiet" type="button" onClick={() => void logout()}>{t('account.logout')}</button>
    </div>
  );
}

/** What a phone's bar has no room for. */
function More({ session, here }: { session: Session; here: string }) {
  const [open, setOpen] = useState(false);
  const place = usePlace();
  useEffect(() => setOpen(false), [place]);
  return (
    <li class="more">
      <button class="rail-link" type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="more" />
        <span>{t('nav.more')}</span>
      </button>
      {open && (
        <div class="more-sheet" onClick={({ target }) => (target as Element).closest('a') && setOpen(false)}>
          <ul>{seen().filter((entry) => entry.minor).map((entry) => (
            <li key={entry.path}>
              <a class="rail-link" href={link(entry.path)} aria-current={entry.path === here ? 'page' : undefined}>
                <Icon name={entry.icon} />
                <span>{t(entry.name)}</span>
              </a>
            </li>
          ))}</ul>
          <Account session={session} />
        </div>
      )}
    </li>
  );
}

function AwayBar() {
  const since = useCell(away);
  return (
    <div class="away" role="status">
      {since !== null && <Notice level="down" title={t('away.since', { time: clockTime(since) })} next={t('away.next')} />}
    </div>
  );
}

export function Shell({ session }: { session: Session }) {
  useEffect(followStatus, []);
  const [first = '', ...rest] = usePlace().path;
  const entry = seen().find((other) => other.path === first);
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById('main')?.focus();
      }}>{t('nav.skip')}</a>
      <nav class="rail" aria-label={t('nav.label')}>
        <a class="rail-gateway" href={link()}>
          <Mark />
          <span><b>{session.gateway.name || session.gateway.id}</b><small>{session.gateway.id}</small></span>
        </a>
        <ul class="rail-list">
          {seen().map((other) => <RailLink key={other.path} entry={other} here={other === entry} />)}
          <More session={session} here={first} />
        </ul>
        <Account session={session} />
      </nav>
      <main class="main" id="main" tabIndex={-1}>
        <p class="phone-head"><Mark /><span>{session.gateway.name || session.gateway.id}</span></p>
        <AwayBar />
        <ChangeBar />
        {entry ? <Guard key={[entry.path, ...rest].join('/')}><entry.screen rest={rest} /></Guard> : <Notice level="look" title={t('error.place')} next={<a href={link()}>{t('error.place.next')}</a>} />}
      </main>
    </div>
  );
}
