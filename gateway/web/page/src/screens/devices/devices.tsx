/** Every device with its values, newest by the second: a list that stays quick at a thousand devices. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { want } from '../../api/live';
import { followValues, loadPoints, points } from '../../api/points';
import { may } from '../../api/session';
import { status } from '../../api/status';
import { link, setQuery, usePlace } from '../../app/router';
import { useCell } from '../../lib/cell';
import { number } from '../../lib/format';
import { narrow } from '../../lib/narrow';
import { t } from '../../lib/text';
import { Empty, Problem } from '../../parts/notice';
import { Screen } from '../../parts/screen';
import { Virtual } from '../../parts/virtual';
import { Filter } from './filter';
import { listRows, rowHeight, type Row } from './rows';
import { DeviceRow, PointRow } from './row';

/** Up to so many points all values are heard; above that only those of the devices in view. */
const ALL_MAX = 1_000;
const SETTLED_MS = 300;

/** Wants the values of what is in view, once scrolling has come to rest. */
function useValues(rows: readonly Row[], total: number): (first: number, end: number) => void {
  const end = useRef<() => void>(() => {});
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (total > ALL_MAX) return;
    return want('all');
  }, [total > ALL_MAX]);
  useEffect(() => () => {
    clearTimeout(timer.current);
    end.current();
  }, []);
  return (first, last) => {
    if (total <= ALL_MAX) return;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const before = end.current;
      const wanted = [...new Set(rows.slice(first, last).map((row) => row.device.id))].map(want);
      end.current = () => wanted.forEach((ending) => ending());
      before();
    }, SETTLED_MS);
  };
}

export function Devices() {
  const now = useCell(status), known = useCell(points);
  const { query } = usePlace();
  const [error, setError] = useState<unknown>(null);
  const fingerprint = now?.config.fingerprint;
  useEffect(followValues, []);
  useEffect(() => void loadPoints().catch(setError), [fingerprint]);

  const search = query.get('q') ?? '', only = query.get('only') ?? '', brief = query.has('brief');
  const stacked = useCell(narrow);
  const rows = useMemo(
    () => (now && known ? listRows(now.buses, known, { search, troubles: only === 'look', brief }) : []),
    [now?.buses, known, search, only, brief, stacked],
  );
  const onShown = useValues(rows, known?.size ?? 0);
  const total = now?.buses.reduce((count, bus) => count + bus.devices.length, 0) ?? 0;
  const add = may('owner') && <a class="button primary" href={link('devices', '+')}>{t('devices.add')}</a>;
  if (now && !total)
    return <Screen title={t('nav.devices')}><Empty title={t('devices.none')} next={t('devices.none.next')}>{add}</Empty></Screen>;
  return (
    <Screen title={t('nav.devices')} aside={add} lead={now && known && t('devices.lead', { n: total, points: number(known.size) })}>
      <Filter search={search} only={only} brief={brief} change={(fields) => setQuery({ q: search, only, brief: brief ? '1' : '', ...fields })} />
      <Problem error={error} />
      {now && known && !rows.length && <p class="quiet-line">{t('devices.nomatch')}</p>}
      <Virtual rows={rows} height={rowHeight} label={t('nav.devices')} onShown={onShown}
        draw={(row, index, top) => row.point
          ? <PointRow key={row.key} row={row} point={row.point} index={index} top={top} />
          : <DeviceRow key={row.key} row={row} index={index} top={top} />} />
    </Screen>
  );
}
