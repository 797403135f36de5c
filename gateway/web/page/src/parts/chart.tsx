/**
 * A point's course: the mean as a line, the band between the smallest and the largest value behind it, and holes where
 * nothing was read. What it shows is also said in a sentence, for those who cannot see it.
 */
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { theme } from '../app/theme';
import { useCell } from '../lib/cell';
import { clockTime, isInstant, measured, shortDate } from '../lib/format';
import { t } from '../lib/text';

export interface Series {
  from: number;
  to: number;
  unit: string;
  t: number[];
  min: (number | null)[];
  max: (number | null)[];
  avg: (number | null)[];
  n: number[];
}

interface ChartProps {
  series: Series;
  name: string;
  unit: string;
  decimals?: number;
  height?: number;
}

const known = (values: readonly (number | null)[]): number[] => values.filter((value): value is number => value !== null);

/** Of a mean of integers. */
const MEAN_DECIMALS = 1;

/** The unit of such values, with what keeps it beside its number. */
const behind = (unit: string, value: number): string => (unit && !isInstant(value, unit) ? `\u00a0${unit}` : '');

/** "231.2 to 233.9 V, mean 232.4 V" */
export function courseInWords(series: Series, unit: string, decimals?: number): string {
  const low = known(series.min), high = known(series.max), mean = known(series.avg);
  if (!mean.length) return t('chart.nothing');
  return t('chart.words', {
    low: measured(Math.min(...low), unit, decimals), high: measured(Math.max(...high), unit, decimals),
    mean: measured(mean.reduce((sum, value) => sum + value, 0) / mean.length, unit, decimals ?? MEAN_DECIMALS), unit: behind(unit, mean[0]!),
  });
}

/** Around a value that does not change: a hundredth of it, so that the line stands in the middle and the axis tells where. */
export function aroundFlat(value: number): [number, number] {
  const room = Math.abs(value) / 100 || 1;
  return [value - room, value + room];
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(Plot: typeof uPlot, box: HTMLElement, { unit, decimals, series }: ChartProps, height: number): uPlot.Options {
  const axis = { stroke: colour('--ink-soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: `12px ${colour('--font')}` };
  const accent = colour('--accent');
  const long = series.to - series.from > 36 * 3600e3;
  const mean = (_: uPlot, value: number | null) => (value === null || value === undefined ? t('value.none') : measured(value, unit, decimals ?? MEAN_DECIMALS) + behind(unit, value));
  return {
    width: box.clientWidth,
    height,
    legend: { live: true },
    cursor: { y: false, points: { size: 7 } },
    scales: {
      x: { time: true, range: () => [series.from / 1000, series.to / 1000] },
      y: { range: (_, low, high) => (low === high && low !== null ? aroundFlat(low) : Plot.rangeNum(low ?? 0, high ?? 1, 0.1, true)) },
    },
    axes: [
      { ...axis, space: 96, values: (_, ticks) => ticks.map((tick) => (long ? shortDate(tick * 1000) : clockTime(tick * 1000).slice(0, 5))) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => measured(tick, unit)) },
    ],
    series: [
      { label: t('chart.time'), value: (_, at) => (at ? (long ? shortDate(at * 1000) : clockTime(at * 1000)) : t('value.none')) },
      { label: t('chart.max'), stroke: 'transparent', value: mean, points: { show: false } },
      { label: t('chart.min'), stroke: 'transparent', value: mean, points: { show: false } },
      { label: t('chart.mean'), stroke: accent, width: 1.5, value: mean, points: { show: false } },
    ],
    bands: [{ series: [1, 2], fill: colour('--accent-soft') }],
  };
}

export function Chart(props: ChartProps) {
  const { series, name, unit, decimals, height = 280 } = props;
  const box = useRef<HTMLDivElement>(null);
  const painted = useCell(theme);
  useEffect(() => {
    const target = box.current!;
    let plot: uPlot | null = null, gone = false;
    const sized = new ResizeObserver(() => plot?.setSize({ width: target.clientWidth, height }));
    void import('uplot').then(({ default: Plot }) => {
      if (gone) return;
      const seconds = series.t.map((at) => at / 1000);
      plot = new Plot(options(Plot, target, props, height), [seconds, series.max, series.min, series.avg] as uPlot.AlignedData, target);
      sized.observe(target);
    });
    return () => {
      gone = true;
      sized.disconnect();
      plot?.destroy();
    };
  }, [series, painted]);
  return (
    <figure class="chart">
      <div class="chart-box" ref={box} role="img" aria-label={t('chart.label', { name })} style={{ minHeight: `${height + 40}px` }} />
      <figcaption>{courseInWords(series, unit, decimals)}</figcaption>
    </figure>
  );
}
