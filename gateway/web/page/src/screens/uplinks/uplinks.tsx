/** The brokers: is each connected, what has it got, what has it still to get, and when. */
import { may } from '../../api/session';
import { rates, status } from '../../api/status';
import type { Status, UplinkStatus } from '../../api/types';
import { uplinkWord } from '../../api/uplink';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { bytes, duration, number, rate } from '../../lib/format';
import { said, t } from '../../lib/text';
import { Age } from '../../parts/age';
import { Empty, Notice } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Screen } from '../../parts/screen';
import { State } from '../../parts/state';
import { drained, uplinkLevel } from '../overview/uplink-card';

function security(uplink: UplinkStatus): string {
  if (uplink.tls) return uplink.tls;
  return uplink.url.startsWith('mqtts') ? t('value.none') : t('uplink.plain');
}

function proof(uplink: UplinkStatus): string {
  if (uplink.state !== 'online') return t('value.none');
  return t(uplink.delivery_proven ? 'uplink.proven' : 'uplink.unproven');
}

/** What is the same whether one looks at the list or at one broker. */
export function UplinkFacts({ uplink, now }: { uplink: UplinkStatus; now: Status }) {
  const consumer = now.consumers[`uplink/${uplink.id}`];
  const pending = consumer?.pending ?? uplink.backlog, left = drained(now, uplink.id), perSecond = rates.of(`acked/uplink/${uplink.id}`);
  return (
    <dl class="facts">
      <div><dt>{t('uplink.delivered')}</dt><dd>{consumer ? number(consumer.acked) : t('value.none')} <span class="fact-what">{perSecond === null ? '' : `${rate(perSecond)} ${t('unit.perSecond')}`}</span></dd></div>
      <div><dt>{t('ledger.pending')}</dt><dd>{number(pending)} <span class="fact-what">{left !== null && pending > 500 ? t('uplink.doneIn', { left: duration(left) }) : ''}</span></dd></div>
      <div><dt>{t('uplink.since')}</dt><dd><Age t={uplink.since} /></dd></div>
      <div><dt>{t('uplink.protocol')}</dt><dd>{uplink.mqtt ? `MQTT ${uplink.mqtt}` : t('value.none')}</dd></div>
      <div><dt>{t('uplink.security')}</dt><dd>{security(uplink)}</dd></div>
      <div><dt>{t('ledger.proof')}</dt><dd>{proof(uplink)}</dd></div>
      <div><dt>{t('uplink.sent')}</dt><dd>{bytes(uplink.bytes)} <span class="fact-what">{t('uplink.connects', { n: uplink.connects, count: number(uplink.connects) })}</span></dd></div>
    </dl>
  );
}

export function UplinkTroubles({ uplink }: { uplink: UplinkStatus }) {
  return (
    <>
      {uplink.error && <Notice level={uplinkLevel(uplink) === 'down' ? 'down' : 'look'} title={t('trouble.uplink', { uplink: uplink.id, state: uplinkWord(uplink) })} why={said(uplink.error)}
        next={uplink.next_try_ms ? t('uplink.next', { left: duration(uplink.next_try_ms + 999) }) : undefined} />}
      {uplink.alarm && uplink.alarm !== uplink.error && <Notice level="look" title={t('trouble.alarm', { uplink: uplink.id })} why={said(uplink.alarm)} />}
    </>
  );
}

export function Uplinks() {
  const now = useCell(status);
  const add = may('owner') && <a class="button primary" href={link('uplinks', '+')}>{t('overview.nouplink.do')}</a>;
  return (
    <Screen title={t('nav.uplinks')} lead={t('uplinks.lead')} aside={now && now.uplinks.length > 0 && add}>
      {now && !now.uplinks.length && <Empty title={t('overview.nouplink')} next={t('overview.nouplink.next')}>{add}</Empty>}
      <div class="columns">
        {now?.uplinks.map((uplink) => (
          <Panel key={uplink.id} title={uplink.id} aside={<State level={uplinkLevel(uplink)} word={uplinkWord(uplink)} />}>
            <p class="quiet-line uplink-url">{uplink.url}</p>
            <UplinkTroubles uplink={uplink} />
            <UplinkFacts uplink={uplink} now={now} />
            <p class="actions"><a href={link('uplinks', uplink.id)}>{t('uplink.open', { uplink: uplink.id })}</a></p>
          </Panel>
        ))}
      </div>
    </Screen>
  );
}
