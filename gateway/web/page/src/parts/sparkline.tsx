/** The last values as a small line, without axes: whether it rises, falls or rests. The number stands beside it. */
interface SparklineProps {
  values: readonly (number | null)[];
  /** How many values fill the width. */
  room?: number;
  width?: number;
  height?: number;
  /** The line begins at zero: for rates. */
  fromZero?: boolean;
}

function path(values: readonly (number | null)[], room: number, width: number, height: number, fromZero: boolean): string {
  const known = values.filter((value): value is number => value !== null);
  if (known.length < 2) return '';
  const low = fromZero ? 0 : Math.min(...known), high = Math.max(...known);
  const span = high - low || Math.abs(high) || 1;
  const step = width / (room - 1), first = room - values.length;
  let pen = false;
  return values
    .map((value, i) => {
      if (value === null) {
        pen = false;
        return '';
      }
      const y = high === low && !fromZero ? height / 2 : height - 1.5 - ((value - low) / span) * (height - 3);
      const part = `${pen ? 'L' : 'M'}${((first + i) * step).toFixed(1)} ${y.toFixed(1)}`;
      pen = true;
      return part;
    })
    .join('');
}

export function Sparkline({ values, room = values.length, width = 96, height = 24, fromZero = false }: SparklineProps) {
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path(values, Math.max(room, 2), width, height, fromZero)} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" />
    </svg>
  );
}
