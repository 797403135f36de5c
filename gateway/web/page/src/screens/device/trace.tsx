/** What goes over the device's line: in words, for those who may start a job, or as the bytes that they are. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, query } from '../../api/client';
import { may } from '../../api/session';
import type { BusStatus } from '../../api/types';
import { clockTime } from '../../lib/format';
import { t, told } from '../../lib/text';
import { Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Frames } from './frames';

/** Older lines go: this is for looking, `sluice trace` is for keeping. */
const LINES_MAX = 200;
const DRAW_MS = 250;

interface Heard {
  t: number;
  way: string;
  hex?: string;
  lost?: number;
}

/** Reads objects of a line each until the stream ends or is given up. */
async function readLines(response: Response, take: (line: Heard) => void): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split('\n');
    rest = parts.pop()!;
    for (const part of parts) {
      const line = part && (JSON.parse(part) as Heard);
      if (line && line.way) take(line);
    }
  }
}

const spaced = (hex = ''): string => hex.replace(/(..)(?=.)/g, '$1 ');

function Bytes({ bus }: { bus: BusStatus }) {
  const [runs, setRuns] = useState(false);
  const [heard, setHeard] = useState<readonly Heard[]>([]);
  const [error, setError] = useState<unknown>(null);
  const fresh = useRef<Heard[]>([]);

  useEffect(() => {
    if (!runs) return;
    const ending = new AbortController();
    setError(null);
    ask('/trace' + query({ bus: bus.id }), { signal: ending.signal })
      .then((response) => readLines(response, (line) => fresh.current.push(line)))
      .catch((refused) => ending.signal.aborted || setError(refused))
      .finally(() => setRuns(false));
    const drawing = setInterval(() => {
      const lines = fresh.current.splice(0);
      if (lines.length) setHeard((known) => [...known, ...lines].slice(-LINES_MAX));
    }, DRAW_MS);
    return () => {
      ending.abort();
      clearInterval(drawing);
    };
  }, [runs, bus.id]);

  return (
    <>
      <div class="actions"><button type="button" class="button small" aria-pressed={runs} onClick={() => setRuns(!runs)}>{t(runs ? 'trace.stop' : 'trace.start')}</button></div>
      <Problem error={error} />
      {!heard.length && <p class="quiet-line">{t(runs ? 'trace.waits' : 'trace.hint', { bus: bus.id })}</p>}
      {heard.length > 0 && (
        <div class="trace-lines" tabIndex={0} role="log" aria-live="off" aria-label={t('trace.title')}>
          {heard.map((line, i) => (
            <p key={i} class={`trace-${line.way}`}>
              <time>{clockTime(line.t)}</time>
              <span>{told(`trace.${line.way}`, line.way)}</span>
              <code>{spaced(line.hex)}</code>
            </p>
          ))}
        </div>
      )}
    </>
  );
}

export function Trace({ bus }: { bus: BusStatus }) {
  const [words, setWords] = useState(may('owner'));
  if (!bus.driver.startsWith('modbus')) return null;
  return (
    <Panel title={t('trace.title')} class="trace" aside={may('owner') && (
      <div class="segments" role="group" aria-label={t('trace.title')}>
        <button type="button" aria-pressed={words} onClick={() => setWords(true)}>{t('trace.words')}</button>
        <button type="button" aria-pressed={!words} onClick={() => setWords(false)}>{t('trace.bytes')}</button>
      </div>
    )}>
      {words ? <Frames bus={bus} /> : <Bytes bus={bus} />}
    </Panel>
  );
}
