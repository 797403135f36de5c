/** One second of the line as a bar: each device has its piece, the rest is quiet. */
import { link } from '../../app/router';
import { number } from '../../lib/format';
import { t } from '../../lib/text';
import type { Share } from './load';

/** Below that a piece is too small to be seen, and is shown with the others of its kind. */
const SEEN_PERCENT = 0.6;
const TONES = 6;

export interface Piece {
  share: Share;
  from: number;
  tone: number;
}

export function pieces(all: readonly Share[]): Piece[] {
  let from = 0;
  return all.map((share, i) => {
    const piece = { share, from, tone: i % TONES };
    from += share.percent;
    return piece;
  });
}

export function Second({ shares }: { shares: readonly Share[] }) {
  const all = pieces(shares);
  const taken = shares.reduce((sum, share) => sum + share.percent, 0);
  const scale = taken > 100 ? 100 / taken : 1;
  return (
    <svg class="second" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={t('bus.second', { percent: number(taken, 0) })}>
      <rect class="second-quiet" width="100" height="10" />
      {all.filter(({ share }) => share.percent >= SEEN_PERCENT).map(({ share, from, tone }) => (
        <rect key={share.id} class={share.up ? `tone tone-${tone}` : 'tone tone-down'} x={from * scale} width={Math.max(0.3, share.percent * scale - 0.15)} height="10">
          <title>{`${share.name}: ${number(share.percent, 1)} %`}</title>
        </rect>
      ))}
    </svg>
  );
}

/** The same in words and numbers. */
export function Pieces({ shares }: { shares: readonly Share[] }) {
  return (
    <ul class="pieces">
      {pieces(shares).map(({ share, tone }) => (
        <li key={share.id}>
          <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><rect class={share.up ? `tone tone-${tone}` : 'tone tone-down'} width="12" height="12" rx="2" /></svg>
          <a href={link('devices', share.id)}>{share.name}</a>
          <span class="numbers">{number(share.percent, 1)}&nbsp;<span class="unit">%</span></span>
          <span class="piece-ms">{t('unit.ms', { n: number(share.percent * 10, 0) })}</span>
        </li>
      ))}
    </ul>
  );
}
