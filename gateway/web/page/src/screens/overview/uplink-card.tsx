/** A broker: is it connected, what has it still to get, and when will it have it? */
import { rates } from '../../api/status';
import type { Status, UplinkStatus } from '../../api/types';
import { uplinkWord } from '../../api/uplink';
import { link } from '../../app/router';
import { duration, number, rate } from '../../lib/format';
import { said, t } from '../../lib/text';
import { State, type Level } from '../../parts/state';

/** Fewer than this wait in the course of things: what is on its way. */
const BACKLOG_MIN = 500;

export function uplinkLevel(uplink: UplinkStatus): Level {
  if (uplink.state !== 'online') return uplink.error ? 'down' : 'look';
  return uplink.alarm || (uplink.error && !uplink.delivery_proven) ? 'look' : 'up';
}

/** Until the backlog is gone, ms: null while it does not shrink. */
export function drained(now: Status, id: string): number | null {
  const pending = now.consumers[`uplink/${id}`]?.pending ?? 0;
  const out = rates.of(`acked/uplink/${id}`), into = rates.of('stored');
  if (out === null || into === null || out - into < 0.5) return null;
  return (pending / (out - into)) * 1000;
}

function backlog(uplink: UplinkStatus, now: Status): string {
  const pending = now.consumers[`uplink/${uplink.id}`]?.pending ?? uplink.backlog;
  const count = number(pending);
  if (uplink.state !== 'online') return t('uplink.keeps', { n: pending, count });
  if (pending < BACKLOG_MIN) return t('uplink.current', { n: pending, count });
  const left = drained(now, uplink.id);
  return left === null ? t('uplink.waits', { n: pending, count }) : t('uplink.drains', { n: pending, count, left: duration(left) });
}

function word(uplink: UplinkStatus): string {
  const state = uplinkWord(uplink);
  return uplink.next_try_ms ? t('uplink.again', { state, left: duration(uplink.next_try_ms + 999) }) : state;
}

export function UplinkCard({ uplink, now }: { uplink: UplinkStatus; now: Status }) {
  const acked = rates.of(`acked/uplink/${uplink.id}`);
  return (
    <li class="flow-card">
      <h3><a class="cover" href={link('uplinks', uplink.id)}>{uplink.id}</a></h3>
      <span class="flow-kind">{host(uplink.url)}</span>
      <State level={uplinkLevel(uplink)} word={word(uplink)} />
      <span class="flow-numbers">
        <span class="flow-rate"><b>{acked === null ? t('value.none') : rate(acked)}</b> {t('unit.delivered')}</span>
      </span>
      <span class="flow-words">{said(uplink.error) || backlog(uplink, now)}</span>
    </li>
  );
}

function host(url: string): string {
  return url.replace(/^\w+:\/\//, '');
}
