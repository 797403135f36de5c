/** What is shown at all: the first run, the login, or the screens. */
import { useEffect } from 'preact/hooks';
import { away } from '../api/client';
import { allowLive } from '../api/live';
import { loadSession, session } from '../api/session';
import { useCell } from '../lib/cell';
import { spoken, t } from '../lib/text';
import { Notice } from '../parts/notice';
import { FirstRun } from '../screens/first-run/first-run';
import { Login } from '../screens/login/login';
import { Shell } from './shell';

const AGAIN_MS = 2_000;

/** The gateway has not answered yet: asks until it does. */
function Waiting() {
  useEffect(() => {
    const timer = setInterval(() => loadSession().catch(() => {}), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="door">
      {useCell(away) && <Notice level="down" title={t('error.away')} next={t('error.away.next')} />}
    </main>
  );
}

export function Page() {
  const known = useCell(session);
  useCell(spoken);
  const entered = !!known?.account;
  useEffect(() => allowLive(entered), [entered]);
  if (!known) return <Waiting />;
  if (known.setup) return <FirstRun session={known} />;
  if (!known.account) return <Login session={known} />;
  return <Shell session={known} />;
}
