/** The device's points: each value whole, its last half hour as a line, and the way to write where that is open. */
import { useEffect, useState } from 'preact/hooks';
import { pointKey } from '../../api/points';
import { may } from '../../api/session';
import { TRAIL, trailOf, wantPast } from '../../api/trails';
import type { Point } from '../../api/types';
import { useCell } from '../../lib/cell';
import { t } from '../../lib/text';
import { Panel } from '../../parts/panel';
import { Sparkline } from '../../parts/sparkline';
import { Value } from '../../parts/value';
import { Write } from './write';

interface ValuesProps {
  points: readonly Point[];
  /** Which one the chart shows. */
  shown: string | null;
  show: (id: string) => void;
  loaded: boolean;
}

function Line({ point, charted, show, write }: { point: Point; charted: boolean; show: () => void; write: () => void }) {
  const id = pointKey(point);
  useEffect(() => wantPast(point), [id]);
  const name = point.name || point.p;
  return (
    <li class="device-point">
      <button type="button" class="device-point-name link" aria-pressed={charted} onClick={show} title={t('device.chart', { name })}>{name}</button>
      <Sparkline values={useCell(trailOf(id))} room={TRAIL} width={96} height={24} />
      <Value point={point} id={id} />
      <span class="device-point-write">
        {point.write && may('operator') && (
          <button type="button" class="button small" onClick={write}>
            {t('write.do')}<span class="unseen"> {name}</span>
          </button>
        )}
      </span>
    </li>
  );
}

export function Values({ points, shown, show, loaded }: ValuesProps) {
  const [writing, setWriting] = useState<Point | null>(null);
  return (
    <Panel title={t('device.values')} class="values">
      {loaded && !points.length && <p class="quiet-line">{t('device.nopoints')}</p>}
      <ul class="device-points">
        {points.map((point) => (
          <Line key={point.p} point={point} charted={point.p === shown} show={() => show(point.p)} write={() => setWriting(point)} />
        ))}
      </ul>
      {writing && <Write point={writing} onClose={() => setWriting(null)} />}
    </Panel>
  );
}
