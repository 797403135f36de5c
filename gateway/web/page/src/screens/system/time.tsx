/** What time the gateway has, and how far it is to be trusted. */
import { useState } from 'preact/hooks';
import { post } from '../../api/client';
import { may } from '../../api/session';
import { loadStatus } from '../../api/status';
import type { Status } from '../../api/types';
import { useCell } from '../../lib/cell';
import { clocksApart, gatewayNow, second } from '../../lib/clock';
import { dateTime, duration } from '../../lib/format';
import { said, t } from '../../lib/text';
import { Problem } from '../../parts/notice';
import { State, type Level } from '../../parts/state';

const levels: Record<Status['clock']['trust'], Level> = { synchronised: 'up', 'free-running': 'look', unset: 'down' };

export function Time({ now, timezone }: { now: Status; timezone?: string }) {
  useCell(second);
  const [error, setError] = useState<unknown>(null);
  const apart = clocksApart();
  const set = () => post('/clock', { t: Date.now() }).then(() => {
    setError(null);
    return loadStatus();
  }, setError);
  return (
    <>
      <dl class="facts">
        <div><dt>{t('system.now')}</dt><dd class="time-now">{dateTime(gatewayNow())}</dd></div>
        <div><dt>{t('system.trust')}</dt><dd><State level={levels[now.clock.trust]} word={t(`system.trust.${now.clock.trust}`)} /></dd></div>
        <div><dt>{t('system.apart')}</dt><dd>{apart ? duration(apart) : t('system.apart.none')}</dd></div>
        {now.clock.by && now.clock.by !== 'nobody' && <div><dt>{t('system.clock')}</dt><dd>{t(`system.clock.${now.clock.by}`)}</dd></div>}
        {timezone && <div><dt>{t('system.zone')}</dt><dd>{timezone}</dd></div>}
      </dl>
      <p class="hint">{now.clock.why ? said(now.clock.why) : t(`system.trust.${now.clock.trust}.next`)}</p>
      <Problem error={error} />
      {may('owner') && now.clock.trust !== 'synchronised' && <div class="actions"><button class="button" type="button" onClick={() => void set()}>{t('system.settime')}</button></div>}
    </>
  );
}
