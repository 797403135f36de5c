/** What happened: events of the kinds, the device and the time that one chooses, and the same as CSV. */
import { useEffect, useState } from 'preact/hooks';
import { lines, query } from '../../api/client';
import { status } from '../../api/status';
import type { StoredEvent } from '../../api/types';
import { setQuery, usePlace } from '../../app/router';
import { useCell } from '../../lib/cell';
import { t, told } from '../../lib/text';
import { Choice } from '../../parts/field';
import { Problem } from '../../parts/notice';
import { EventLine } from './event-line';

const LIMIT = 500;
const kindsOf: Record<string, string | undefined> = {
  happened: 'state,alarm,gap,clock,config,lifecycle', alarm: 'alarm', state: 'state', command: 'command,result', gap: 'gap',
  config: 'config,lifecycle', reading: 'reading', all: undefined,
};
const spans = ['-1h', '-24h', '-7d', '-30d'];

export function Events() {
  const now = useCell(status);
  const { query: chosen } = usePlace();
  const [events, setEvents] = useState<readonly StoredEvent[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const kind = chosen.get('kind') ?? 'happened', device = chosen.get('device') ?? '', from = chosen.get('from') ?? '-24h';
  const change = (fields: Record<string, string>) => setQuery({ kind, device, from, ...fields });
  const asked = { kind: kindsOf[kind], device: device || undefined, from };

  useEffect(() => {
    const ending = new AbortController();
    setEvents(null);
    lines<StoredEvent>('/events' + query({ ...asked, limit: LIMIT + 1 }), ending.signal).then((all) => {
      setEvents(all);
      setError(null);
    }, (refused) => ending.signal.aborted || setError(refused));
    return () => ending.abort();
  }, [kind, device, from]);

  const devices = now?.buses.flatMap((bus) => bus.devices) ?? [];
  return (
    <>
      <form class="filter events-filter" role="search" onSubmit={(event) => event.preventDefault()}>
        <Choice label={t('history.kind')} value={kind} onChoice={(to) => change({ kind: to })} choices={Object.keys(kindsOf).map((key) => [key, told(`history.kind.${key}`, key)] as const)} />
        <Choice label={t('bus.device')} value={device} onChoice={(to) => change({ device: to })}
          choices={[['', t('devices.all')], ...devices.map((one) => [one.id, one.name || one.id] as const)]} />
        <Choice label={t('history.from')} value={from} onChoice={(to) => change({ from: to })} choices={spans.map((span) => [span, told(`history.span.${span}`, span)] as const)} />
        <a class="button" href={'/api/v1/events' + query({ ...asked, format: 'csv' })} download="events.csv">{t('history.csv')}</a>
      </form>
      <Problem error={error} />
      {events && !events.length && <p class="quiet-line">{t('history.none')}</p>}
      {events && events.length > LIMIT && <p class="hint">{t('history.more', { n: LIMIT })}</p>}
      {events && events.length > 0 && <ol class="log-lines event-lines">{events.slice(0, LIMIT).reverse().map((event) => <EventLine key={`${event.n}/${event.t}/${event.k}`} event={event} />)}</ol>}
    </>
  );
}
