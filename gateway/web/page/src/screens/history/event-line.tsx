/** One event in words. */
import type { StoredEvent } from '../../api/types';
import { link } from '../../app/router';
import { gatewayNow } from '../../lib/clock';
import { moment, number } from '../../lib/format';
import { said, t, told } from '../../lib/text';
import { Shape, type Level } from '../../parts/state';
import { learntInWords, trailInWords } from './trail';

function level(event: StoredEvent): Level {
  if (event.k === 'state') return event.v === true ? 'up' : 'down';
  if (event.k === 'alarm') return event.why === 'over' ? 'up' : 'look';
  if (event.k === 'gap') return 'down';
  if (event.k === 'result') return event.ok ? 'up' : 'down';
  if (event.q === 'bad') return 'down';
  return event.q === 'uncertain' ? 'look' : 'unknown';
}

const text = (value: StoredEvent['v']): string =>
  value === null || value === undefined ? t('value.none') : typeof value === 'number' ? number(value) : String(value);

/** "start 0.1.0", "stop", or that the journal begins anew. */
function lifecycle(words: string): string {
  const [, version] = /^start (\S+)$/.exec(words) ?? [];
  return version ? t('event.start', { version }) : words === 'stop' ? t('event.stop') : said(words);
}

function words(event: StoredEvent): string {
  const why = event.why ? told(`why.${event.why}`, event.why) : '';
  switch (event.k) {
    case 'state': return event.v === true ? t('event.up') : t('event.down', { why });
    case 'gap': return t('event.gap', { n: event.count ?? 0, count: event.count === undefined ? '?' : number(event.count), why: told(`dropped.${event.why}`, event.why ?? '') });
    case 'command': return t('event.command', { point: event.p ?? '', value: text(event.v), by: event.by ?? '' });
    case 'result': return event.ok ? t('event.done', { point: event.p ?? '', value: text(event.v) }) : t('event.failed', { point: event.p ?? '', why });
    case 'clock': return t('event.clock', { ms: text(event.v) });
    case 'reading': return [`${event.p}: ${text(event.v)}`, event.q === 'good' ? '' : told(`quality.${event.q}`, event.q ?? ''), why].filter(Boolean).join(', ');
    case 'lifecycle': return lifecycle(text(event.v));
    case 'config': return event.d || event.b ? learntInWords(text(event.v)) : trailInWords(text(event.v));
    case 'alarm': return [said(text(event.v)), event.why && why].filter(Boolean).join(', ');
    default: return [text(event.v ?? null), why].filter((word) => word && word !== t('value.none')).join(', ');
  }
}

function About({ event }: { event: StoredEvent }) {
  if (event.d) return <a href={link('devices', event.d)}>{event.d}</a>;
  if (event.u) return <a href={link('uplinks', event.u)}>{event.u}</a>;
  if (event.b) return <a href={link('buses', event.b)}>{event.b}</a>;
  return <span>{t('event.gateway')}</span>;
}

export function EventLine({ event }: { event: StoredEvent }) {
  return (
    <li>
      <time>{moment(event.t, gatewayNow())}</time>
      <span class="log-level"><Shape level={level(event)} />{told(`event.kind.${event.k}`, event.k)}</span>
      <span class="log-part"><About event={event} /></span>
      <span class="log-words">{words(event)}</span>
    </li>
  );
}
