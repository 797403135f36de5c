/** Above the slider: where alarms, lost connections and gaps were, so that one knows where to look. */
import { useEffect, useState } from 'preact/hooks';
import { lines, query } from '../../api/client';
import type { StoredEvent } from '../../api/types';
import { t } from '../../lib/text';

const EVENTS_MAX = 1_000;
/** The picture has so many places; events of one place are one mark. */
const PLACES = 200;

type Kind = 'gap' | 'alarm' | 'state';
const kinds: readonly Kind[] = ['gap', 'alarm', 'state'];

function placed(events: readonly StoredEvent[], from: number, to: number): Map<Kind, Set<number>> {
  const made = new Map<Kind, Set<number>>(kinds.map((kind) => [kind, new Set()]));
  for (const event of events) {
    if (event.k === 'state' && event.v === true) continue; // that something works again is no reason to look
    made.get(event.k as Kind)?.add(Math.floor(((event.t - from) / Math.max(1, to - from)) * (PLACES - 1)));
  }
  return made;
}

export function Marks({ from, to }: { from: number; to: number }) {
  const [events, setEvents] = useState<readonly StoredEvent[]>([]);
  useEffect(() => void lines<StoredEvent>('/events' + query({ kind: kinds.join(','), from: Math.round(from), limit: EVENTS_MAX })).then(setEvents, () => {}), [from]);
  const marks = placed(events, from, to);
  return (
    <div class="marks">
      <p class="marks-legend">{kinds.map((kind) => <span key={kind}><i class={`mark-${kind}`} />{t(`history.mark.${kind}`)}</span>)}</p>
      <svg viewBox={`0 0 ${PLACES} 24`} preserveAspectRatio="none" aria-hidden="true">
        {kinds.map((kind, row) => [...marks.get(kind)!].map((x) => <rect key={`${kind}${x}`} class={`mark-${kind}`} x={x} y={row * 8 + 1} width="1" height="6" />))}
      </svg>
    </div>
  );
}
