/** What wants care now, and what was told as an alarm in the last day. */
import { useEffect, useState } from 'preact/hooks';
import { lines, query } from '../../api/client';
import type { Condition } from '../../api/conditions';
import { useLive } from '../../api/live';
import type { StoredEvent } from '../../api/types';
import { link } from '../../app/router';
import { gatewayNow } from '../../lib/clock';
import { moment } from '../../lib/format';
import { sentence, t } from '../../lib/text';
import { Age } from '../../parts/age';
import { Panel } from '../../parts/panel';
import { Said } from '../../parts/said';
import { Shape, State } from '../../parts/state';

const PAST_MAX = 5;

function Trouble({ found }: { found: Condition }) {
  return (
    <li class="trouble">
      <Shape level={found.level} />
      <div>
        <p class="trouble-what">
          {found.at ? <a href={link(...found.at)}>{found.what}</a> : found.what}
          {found.since && <span class="trouble-since">{t('age.since')} <Age t={found.since} /></span>}
        </p>
        {found.why && <p class="trouble-why">{sentence(found.why)}</p>}
        {found.next && <p class="trouble-next">{found.next}</p>}
      </div>
    </li>
  );
}

function Past({ alarm }: { alarm: StoredEvent }) {
  return (
    <li>
      <time class="numbers">{moment(alarm.t, gatewayNow())}</time>
      <Said text={String(alarm.v ?? '')} />
    </li>
  );
}

/** `unset`: nothing is read yet, and so there is something to be done first. */
export function Alarms({ found, unset }: { found: readonly Condition[]; unset: boolean }) {
  const [past, setPast] = useState<StoredEvent[]>([]);
  useEffect(() => {
    lines<StoredEvent>('/events' + query({ from: '-24h', kind: 'alarm', limit: 200 })).then((all) => setPast(all.slice(-PAST_MAX).reverse()), () => {});
  }, []);
  useLive('event', (event) => {
    if (event.k === 'alarm') setPast((known) => [event, ...known.filter((one) => one.n !== event.n)].slice(0, PAST_MAX));
  });
  return (
    <Panel title={t('overview.care')} aside={<State level={found[0]?.level ?? (unset ? 'unknown' : 'up')} word={found.length ? t('overview.care.n', { n: found.length }) : t('overview.care.none')} />}>
      {found.length > 0 && <ul class="troubles">{found.map((one) => <Trouble key={one.key} found={one} />)}</ul>}
      {!found.length && <p class="quiet-line">{t(unset ? 'overview.unset.next' : 'overview.care.well')}</p>}
      {past.length > 0 && (
        <div class="past">
          <h3>{t('overview.alarms')}</h3>
          <ul>{past.map((alarm) => <Past key={alarm.n} alarm={alarm} />)}</ul>
        </div>
      )}
    </Panel>
  );
}
