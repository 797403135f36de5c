/** The living picture: lines on the left, the journal in the middle, brokers on the right, and what runs between them. */
import { may } from '../../api/session';
import { rates, sums, type BusSums } from '../../api/status';
import type { BusStatus, Status, UplinkStatus } from '../../api/types';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { t } from '../../lib/text';
import { Empty } from '../../parts/notice';
import { BusCard, busLevel } from './bus-card';
import { JournalCard } from './journal-card';
import { UplinkCard, uplinkLevel } from './uplink-card';
import { Wires, type Wire } from './wires';

/** More lines or brokers than that are behind a link, those in trouble first. */
const SHOWN = 6;

const NOTHING: BusSums = { up: 0, down: 0, bad: 0, requests: 0, replies: 0, percent: 0 };
const urgency = { down: 0, look: 1, paused: 2, unknown: 3, up: 4 };

function chosen<T>(all: readonly T[], level: (one: T) => keyof typeof urgency): T[] {
  if (all.length <= SHOWN) return [...all];
  return [...all].sort((a, b) => urgency[level(a)] - urgency[level(b)]).slice(0, SHOWN - 1);
}

function wireOf(level: keyof typeof urgency, perSecond: number | null): Wire {
  return { level, perSecond: level === 'down' ? 0 : perSecond ?? 0 };
}

export function Flow({ now }: { now: Status }) {
  const counted = useCell(sums);
  const sumsOf = (bus: BusStatus) => counted.get(bus.id) ?? NOTHING;
  const levelOf = (bus: BusStatus) => busLevel(bus, sumsOf(bus));
  const buses = chosen(now.buses, levelOf), uplinks = chosen(now.uplinks, uplinkLevel);
  const acked = (uplink: UplinkStatus) => rates.of(`acked/uplink/${uplink.id}`);
  return (
    <section class="flow" aria-label={t('overview.flow')}>
      <div class="flow-side">
        <h2 class="flow-title">{t('overview.field')}</h2>
        <ol>
          {buses.map((bus) => <BusCard key={bus.id} bus={bus} sums={sumsOf(bus)} />)}
          {now.buses.length > buses.length && <More n={now.buses.length - buses.length} to="buses" />}
        </ol>
        {!buses.length && <Empty title={t('overview.nobus')} next={t('overview.nobus.next')}>{may('owner') && <a class="button primary" href={link('devices', '+')}>{t('overview.nobus.do')}</a>}</Empty>}
      </div>
      <Wires side="in" wires={buses.map((bus) => wireOf(levelOf(bus), rates.of(`replies/${bus.id}`)))} />
      <JournalCard now={now} />
      <Wires side="out" wires={uplinks.map((uplink) => wireOf(uplinkLevel(uplink), acked(uplink)))} />
      <div class="flow-side">
        <h2 class="flow-title">{t('overview.brokers')}</h2>
        <ol>
          {uplinks.map((uplink) => <UplinkCard key={uplink.id} uplink={uplink} now={now} />)}
          {now.uplinks.length > uplinks.length && <More n={now.uplinks.length - uplinks.length} to="uplinks" />}
        </ol>
        {!uplinks.length && <Empty title={t('overview.nouplink')} next={t('overview.nouplink.next')}>{may('owner') && <a class="button primary" href={link('uplinks', '+')}>{t('overview.nouplink.do')}</a>}</Empty>}
      </div>
    </section>
  );
}

function More({ n, to }: { n: number; to: string }) {
  return <li class="flow-more"><a href={link(to)}>{t('overview.more', { n })}</a></li>;
}
