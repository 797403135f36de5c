/** Numbers, times and sizes as people read them, in the language of the page. */
import { language, t } from './text';

const formats = new Map<string, Intl.NumberFormat>();

/** Above it the figures of a number are no more than its size, and below it none is left. */
const HUGE = 1e15, TINY = 1e-6;

/** With `decimals` after the point, or as many as it has where that is not said (nine at most); "5.3E36" where that would be a row of noughts. */
export function number(value: number, decimals?: number): string {
  const size = Math.abs(value);
  const short = size >= HUGE || (decimals === undefined && size > 0 && size < TINY);
  const key = `${language.get()}/${short ? 'short' : decimals}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language.get(), short ? { notation: 'scientific', maximumFractionDigits: 3 } : {
      minimumFractionDigits: decimals ?? 0,
      maximumFractionDigits: decimals ?? 9,
    });
    formats.set(key, format);
  }
  return format.format(value);
}

/** A rate: three digits are enough, and none behind the point from 100 on. */
export function rate(value: number): string {
  if (value > 0 && value < 0.05) return `<\u00a0${number(0.1)}`;
  return number(value, value < 10 ? 1 : 0);
}

/** How long ago or for how long, in the two units that matter most: "3 s", "4 min 10 s", "2 h 5 min", "12 d". */
export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return t('unit.s', { n: s });
  if (s < 600) return join(t('unit.min', { n: Math.floor(s / 60) }), s % 60 && t('unit.s', { n: s % 60 }));
  if (s < 3600) return t('unit.min', { n: Math.floor(s / 60) });
  const h = Math.floor(s / 3600);
  if (h < 48) return join(t('unit.h', { n: h }), h < 10 && Math.floor((s % 3600) / 60) && t('unit.min', { n: Math.floor((s % 3600) / 60) }));
  const d = Math.floor(h / 24);
  return t('unit.d', { n: number(d) });
}

/** How long an outage the journal holds, as the gateway reckons it for every screen; null: nothing is stored. */
export function outage(days: number | null | undefined): string {
  return days ? duration(days * 86_400_000) : t('value.none');
}

function join(first: string, second: string | 0 | false): string {
  return second ? `${first} ${second}` : first;
}

const sizes = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(size: number): string {
  let step = 0;
  while (size >= 1024 && step < sizes.length - 1) {
    size /= 1024;
    step++;
  }
  return `${number(size, step > 0 && size < 100 ? 1 : 0)}\u00a0${sizes[step]}`;
}

function dateFormat(options: Intl.DateTimeFormatOptions): (ms: number) => string {
  const made = new Map<string, Intl.DateTimeFormat>();
  return (ms) => {
    const tag = language.get() === 'de' ? 'de-DE' : 'en-GB';
    let format = made.get(tag);
    if (!format) made.set(tag, (format = new Intl.DateTimeFormat(tag, options)));
    return format.format(ms);
  };
}

/** "14:03:22" */
export const clockTime = dateFormat({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
/** "14:03" */
export const minuteTime = dateFormat({ hour: '2-digit', minute: '2-digit' });
/** "27 Nov 2026, 14:03:22" */
export const dateTime = dateFormat({
  day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit',
});
/** "27 Nov, 14:03" */
export const shortDate = dateFormat({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/**
 * Thirty years and more: nothing on a plant lasts so many seconds, but a clock that counts from 1970 tells them. From the
 * year 5138 on it is no clock: one that counts milliseconds is there already, and so are counters that never begin anew.
 */
const INSTANT_S = 1e9, INSTANT_S_MAX = 1e11;

/** Whether a value tells a moment, as that of a receiver for GPS does. */
export function isInstant(value: unknown, unit: string | undefined): value is number {
  return unit === 's' && typeof value === 'number' && value >= INSTANT_S && value < INSTANT_S_MAX;
}

/** The number of a value, which a unit follows unless it is a moment. */
export function measured(value: number, unit: string | undefined, decimals?: number): string {
  return isInstant(value, unit) ? moment(value * 1000, Date.now()) : number(value, decimals);
}

/** The time of day today, with its date on any other day. */
export function moment(ms: number, now: number): string {
  return new Date(ms).toDateString() === new Date(now).toDateString() ? clockTime(ms) : shortDate(ms);
}
