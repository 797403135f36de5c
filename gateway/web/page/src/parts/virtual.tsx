/**
 * A long list of which only what is in view is drawn. It scrolls with the page; the rows' heights are known beforehand,
 * so that nothing has to be measured.
 */
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

/** Drawn above and below what is in view, px: a flick of the finger shows no hole. */
const BEYOND = 600;

interface VirtualProps<T> {
  rows: readonly T[];
  height: (row: T) => number;
  /** Draws a row, `top` px below the begin of the list. A row that stays in view is not drawn again. */
  draw: (row: T, index: number, top: number) => VNode;
  label: string;
  /** Told which rows are drawn. */
  onShown?: (first: number, end: number) => void;
}

/** The row at or before `y`. `tops` has one more than there are rows. */
function rowAt(tops: Float64Array, y: number): number {
  let low = 0, high = tops.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

export function Virtual<T>({ rows, height, draw, label, onShown }: VirtualProps<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [[first, end], setShown] = useState<readonly [number, number]>([0, 0]);
  const tops = useMemo(() => {
    const made = new Float64Array(rows.length + 1);
    rows.forEach((row, i) => (made[i + 1] = made[i]! + height(row)));
    return made;
  }, [rows]);

  useLayoutEffect(() => {
    let asked = 0;
    const look = (): void => {
      asked = 0;
      const above = -(box.current?.getBoundingClientRect().top ?? 0);
      const from = rows.length ? rowAt(tops, above - BEYOND) : 0;
      const to = rows.length ? Math.min(rows.length, rowAt(tops, above + innerHeight + BEYOND) + 1) : 0;
      setShown((shown) => (shown[0] === from && shown[1] === to ? shown : [from, to]));
    };
    const later = (): void => void (asked ||= requestAnimationFrame(look));
    look();
    addEventListener('scroll', later, { passive: true });
    addEventListener('resize', later);
    return () => {
      cancelAnimationFrame(asked);
      removeEventListener('scroll', later);
      removeEventListener('resize', later);
    };
  }, [rows, tops]);

  useEffect(() => onShown?.(first, end), [first, end, rows]);

  // The same node again tells Preact that there is nothing to compare.
  const drawn = useRef(new Map<number, VNode>());
  useMemo(() => drawn.current.clear(), [rows]);
  const before = drawn.current, shown = new Map<number, VNode>();
  for (let i = first; i < Math.min(end, rows.length); i++) shown.set(i, before.get(i) ?? draw(rows[i]!, i, tops[i]!));
  drawn.current = shown;
  return (
    <div class="virtual" ref={box} role="table" aria-label={label} aria-rowcount={rows.length} style={{ height: `${tops[rows.length] ?? 0}px` }}>
      <div role="rowgroup">{[...shown.values()]}</div>
    </div>
  );
}
