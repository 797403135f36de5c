/**
 * The journal as a line from its oldest event to its newest, and on it a mark for how far each reader has come. What
 * lies between a mark and the end is what that reader has still to get.
 */
import type { Status } from '../../api/types';
import { number } from '../../lib/format';
import { t } from '../../lib/text';

const WIDTH = 240, LANE = 14;

export const readerName = (id: string): string => id.replace(/^(uplink|consumer)\//, '');

export function Ruler({ now }: { now: Status }) {
  const { oldest, newest } = now.journal;
  const span = Math.max(1, newest - oldest);
  const readers = Object.entries(now.consumers);
  const height = 10 + readers.length * LANE;
  return (
    <svg class="ruler" viewBox={`0 0 ${WIDTH} ${height}`} width={WIDTH} height={height} role="img" aria-label={t('journal.ruler')}>
      <rect class="ruler-whole" x="0" y="2" width={WIDTH} height="4" rx="2" />
      {readers.map(([id, reader], i) => {
        const x = Math.min(1, Math.max(0, (reader.low - oldest) / span)) * WIDTH, y = 10 + i * LANE;
        return (
          <g key={id}>
            <title>{t('journal.reader', { name: readerName(id), n: reader.pending, count: number(reader.pending) })}</title>
            <rect class="ruler-open" x={x} y="2" width={WIDTH - x} height="4" />
            <path class="ruler-mark" d={`M${x} 1v${y + 3}`} />
            <text class="ruler-name" x={x > WIDTH / 2 ? x - 5 : x + 5} y={y + 7} text-anchor={x > WIDTH / 2 ? 'end' : 'start'}>{readerName(id)}</text>
          </g>
        );
      })}
    </svg>
  );
}
