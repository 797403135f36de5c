/** What goes over a Modbus line, frame by frame and in words: who is asked for what, and what is answered after how long. */
import { useJob } from '../../api/jobs';
import type { BusStatus } from '../../api/types';
import { clockTime, number } from '../../lib/format';
import { t, told } from '../../lib/text';
import { Problem } from '../../parts/notice';

/** Older ones go: this is for looking, `sluice trace` is for keeping. */
const FRAMES_MAX = 200;
/** A job that nobody ends ends by itself. */
const LISTEN_S = 600;

export interface Frame {
  t?: number;
  way?: 'request' | 'reply' | 'garbage' | 'cut' | 'opened' | 'closed';
  size?: number;
  hex?: string;
  unit?: number;
  function?: number;
  name?: string;
  address?: number;
  count?: number;
  values?: number[];
  exception?: number;
  answers?: boolean;
  took_us?: number;
  /** It came in lumps, the longest pause between them. */
  pause_us?: number;
  lost?: number;
}

/** One frame as a sentence. */
export function frameInWords(frame: Frame): string {
  const { way, unit = 0, address, count, values = [], exception, took_us: took } = frame;
  if (frame.lost) return t('frame.lost', { n: frame.lost });
  if (way === 'opened' || way === 'closed') return t(`trace.${way}`);
  if (way === 'garbage') return t('frame.garbage', { n: frame.size ?? 0, hex: frame.hex ?? '' });
  if (way === 'cut') return t('frame.cut', { n: frame.size ?? 0 });
  const what = told(`function.${frame.function}`, frame.name ?? String(frame.function));
  const where = [address !== undefined && t('frame.at', { address }), count !== undefined && `× ${count}`, way === 'request' && values.length > 0 && `: ${values.join(' ')}`].filter(Boolean).join(' ');
  const lumps = frame.pause_us && t('frame.lumps', { ms: number(frame.pause_us / 1000, 1) });
  if (way === 'request') return [t('frame.request', { unit, what, where }), lumps].filter(Boolean).join(' ');
  const after = took === undefined ? '' : t('frame.after', { ms: number(took / 1000, 1) });
  const answer = exception !== undefined ? told(`why.exception ${exception}`, t('why.exception')) : values.length ? values.join(' ') : what;
  return [t('frame.reply', { unit, answer }), after, lumps, frame.answers === false && t('frame.unasked')].filter(Boolean).join(' ');
}

export function Frames({ bus }: { bus: BusStatus }) {
  const job = useJob<Frame>({ keep: FRAMES_MAX });
  const frames = job.lines.filter((frame) => frame.way || frame.lost);
  return (
    <>
      <div class="actions">
        <button type="button" class="button small" aria-pressed={job.runs} onClick={() => (job.runs ? job.stop() : job.start({ kind: 'trace', on: bus.id, for_s: LISTEN_S }))}>
          {t(job.runs ? 'trace.stop' : 'trace.start')}
        </button>
      </div>
      <Problem error={job.error} />
      {!frames.length && <p class="quiet-line">{t(job.runs ? 'trace.waits' : 'trace.hint', { bus: bus.id })}</p>}
      {frames.length > 0 && (
        <div class="trace-lines" tabIndex={0} role="log" aria-live="off" aria-label={t('trace.title')}>
          {frames.map((frame, i) => (
            <p key={i} class={frame.way === 'request' ? 'trace-sent' : frame.way === 'garbage' || frame.exception !== undefined ? 'trace-wrong' : ''}>
              <time>{frame.t ? clockTime(frame.t) : ''}</time>
              <span aria-hidden="true">{frame.way === 'request' ? '→' : frame.way === 'reply' ? '←' : ''}</span>
              <code>{frameInWords(frame)}</code>
            </p>
          ))}
        </div>
      )}
    </>
  );
}
