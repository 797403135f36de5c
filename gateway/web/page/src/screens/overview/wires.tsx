/** What runs between the cards: a thread for each, whose dashes move as fast as events do, and that is cut where nothing gets through. */
import { useEffect, useRef } from 'preact/hooks';
import type { Level } from '../../parts/state';

export interface Wire {
  level: Level;
  perSecond: number;
}

/** As in overview.css: the cards' height and the room between them. */
const CARD = 112, GAP = 8, TITLE = 32;
const WIDTH = 72, DASH = 14;

/** Dashes a second for a rate: slow enough to be calm, and ten times the events are seen to be more. */
const speed = (perSecond: number): number => (perSecond <= 0 ? 0 : 0.35 + 0.45 * Math.log10(1 + perSecond));

function Thread({ d, wire }: { d: string; wire: Wire }) {
  const moving = useRef<SVGPathElement>(null);
  const animation = useRef<Animation | null>(null);
  useEffect(() => {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const running = moving.current?.animate([{ strokeDashoffset: 0 }, { strokeDashoffset: -DASH }], { duration: 1000, iterations: Infinity });
    animation.current = running ?? null;
    return () => running?.cancel();
  }, []);
  useEffect(() => animation.current?.updatePlaybackRate(speed(wire.perSecond)), [wire.perSecond]);
  return (
    <g class={`wire wire-${wire.level}`}>
      <path class="wire-bed" d={d} />
      <path class={wire.perSecond > 0 ? 'wire-flow' : 'wire-flow still'} ref={moving} d={d} />
    </g>
  );
}

export function Wires({ side, wires }: { side: 'in' | 'out'; wires: readonly Wire[] }) {
  const height = TITLE + Math.max(1, wires.length) * (CARD + GAP);
  // The journal's card begins at the same height as the first card of either side.
  const middle = TITLE + CARD / 2;
  const path = (i: number): string => {
    const y = TITLE + i * (CARD + GAP) + CARD / 2;
    return side === 'in'
      ? `M0 ${y}C${WIDTH / 2} ${y} ${WIDTH / 2} ${middle} ${WIDTH} ${middle}`
      : `M0 ${middle}C${WIDTH / 2} ${middle} ${WIDTH / 2} ${y} ${WIDTH} ${y}`;
  };
  return (
    <svg class="wires" viewBox={`0 0 ${WIDTH} ${height}`} width={WIDTH} height={height} aria-hidden="true">
      {wires.map((wire, i) => <Thread key={i} d={path(i)} wire={wire} />)}
    </svg>
  );
}
