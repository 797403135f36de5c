/** The gateway itself: what it is called, what time it is, who may do what, what it can give away, and what was changed. */
import { useEffect, useState } from 'preact/hooks';
import { ended, loadConfig, type Config } from '../../api/config';
import { may, session } from '../../api/session';
import { status, useFreshStatus } from '../../api/status';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { duration } from '../../lib/format';
import { t } from '../../lib/text';
import { Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Screen } from '../../parts/screen';
import { Accounts } from './accounts';
import { Changes } from './changes';
import { Exports } from './exports';
import { Moved } from './moved';
import { MachinePanels } from './machine';
import { Names } from './names';
import { Password } from './password';
import { Storage } from './storage';
import { Time } from './time';
import { Tokens } from './tokens';
import { Updates } from './updates';

export function System() {
  const now = useCell(status), known = useCell(session);
  const [config, setConfig] = useState<Config | null>(null);
  const [error, setError] = useState<unknown>(null);
  useFreshStatus();
  const fingerprint = now?.config.fingerprint;
  // Once more at the end of a trial: the file may go back a moment after what is in force.
  const end = useCell(ended);
  useEffect(() => void loadConfig().then(setConfig, setError), [fingerprint, end]);
  return (
    <Screen title={t('nav.system')} aside={may('owner') && <a class="button small" href={link('system', 'settings')}>{t('settings.open')}</a>} lead={known && t('system.lead', { version: known.gateway.version, uptime: now ? duration(now.uptime_s * 1000) : t('value.none') })}>
      <Problem error={error} />
      <div class="columns">
        <div class="stack">
          {now && <Moved now={now} />}
          <Panel title={t('system.names')}>{config && <Names key={JSON.stringify(config.parsed.gateway)} config={config} />}</Panel>
          <Panel title={t('system.time')}>{now && <Time now={now} timezone={config?.parsed.gateway?.timezone} />}</Panel>
          {now && <Storage now={now} />}
          <Updates />
          <MachinePanels />
        </div>
        <div class="stack">
          <Password />
          {may('owner') && <Accounts />}
          {may('owner') && <Tokens />}
          {may('owner') && <Exports />}
          <Panel title={t('report.title')}>
            <p class="quiet-line">{t('report.what')}</p>
            <div class="actions"><a class="button" href={link('system', 'report')}>{t('report.open')}</a></div>
          </Panel>
          {may('owner') && <Changes />}
        </div>
      </div>
    </Screen>
  );
}
