/** The lines: how full each one is and by whom, what the planner says of it, and which ports there are. */
import { may } from '../../api/session';
import { rates, status, sums, useFreshStatus } from '../../api/status';
import type { BusStatus } from '../../api/types';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { number, rate } from '../../lib/format';
import { said, t, told } from '../../lib/text';
import { Empty } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Screen } from '../../parts/screen';
import { State } from '../../parts/state';
import { busLevel } from '../overview/bus-card';
import { isShared, shares, verdict, verdictLevel } from './load';
import { Ports } from './ports';
import { Pieces, Second } from './second';

const SHOWN = 5;

function Line({ bus }: { bus: BusStatus }) {
  const counted = useCell(sums).get(bus.id);
  const all = shares(bus);
  const percent = counted?.percent ?? all.reduce((sum, share) => sum + share.percent, 0);
  const judged = verdict(percent), replies = rates.of(`replies/${bus.id}`);
  const level = busLevel(bus, counted ?? { up: 0, down: 0, bad: 0, requests: 0, replies: 0, percent });
  return (
    <Panel title={bus.id} aside={<State level={level} word={said(bus.error) || (bus.lent ? t('bus.lent') : t('bus.answer', { up: counted?.up ?? 0, of: bus.devices.length }))} />}>
      <p class="bus-facts">
        <span>{told(`driver.${bus.driver}`, bus.driver)}</span>
        <span><b class="numbers">{replies === null ? t('value.none') : rate(replies)}</b> {t('unit.replies')}</span>
        <span><b class="numbers">{number(percent, 0)}</b> {t(isShared(bus) ? 'unit.busy' : 'unit.busy.tcp')}</span>
      </p>
      {isShared(bus) && <Second shares={all} />}
      {isShared(bus) && <p class="bus-verdict"><State level={verdictLevel[judged]} word={t(`bus.verdict.${judged}`)} /> <span class="quiet-line">{t(`bus.verdict.${judged}.next`)}</span></p>}
      <Pieces shares={all.slice(0, SHOWN)} />
      <p><a href={link('buses', bus.id)}>{t('bus.all', { bus: bus.id })}</a></p>
    </Panel>
  );
}

export function Buses() {
  useFreshStatus();
  const now = useCell(status);
  return (
    <Screen title={t('nav.buses')} lead={t('buses.lead')}>
      {now && !now.buses.length && (
        <Empty title={t('overview.nobus')} next={t('overview.nobus.next')}>
          {may('owner') && <a class="button primary" href={link('devices', '+')}>{t('overview.nobus.do')}</a>}
        </Empty>
      )}
      <div class="columns">{now?.buses.map((bus) => <Line key={bus.id} bus={bus} />)}</div>
      <Ports />
    </Screen>
  );
}
