/** Jobs: what takes a while on the gateway (a scan, a test read), followed line by line. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { gatewayNow } from '../lib/clock';
import { said, t } from '../lib/text';
import { wordsOf } from './audit';
import { get, post, remove, Refusal } from './client';
import { listen } from './live';

export interface JobEnd {
  exit: number;
  /** What the program said last, where it could not. */
  words?: string;
}

export interface JobState<Line> {
  runs: boolean;
  /** Of the one that runs, or ran last. */
  kind: string;
  lines: readonly Line[];
  end: JobEnd | null;
  error: unknown;
  start: (body: Record<string, unknown>) => void;
  stop: () => void;
}

/** One that goes on when nobody looks: of one of these kinds, for this device or uplink. */
export interface Lasting {
  kinds: readonly string[];
  of: string;
  /** Changes when somebody may have begun one elsewhere, as each start of a job does by itself. */
  sign?: string;
}

interface Listed {
  kind: string;
  of: string;
  job: string;
  running: boolean;
  ended?: number;
}

/** From the moment on when it was asked for: its id comes with the answer. */
interface Followed {
  id?: string;
  source?: EventSource;
  stopped?: boolean;
}

/** What it came to is told to those who come back within this time. */
const TOLD_MS = 600_000;

/**
 * A job of this screen. It is ended when one goes elsewhere: a line that is lent comes back at once. One that is
 * `lasting` goes on, whoever comes back sees how far it is, or what it came to, and one that another browser started is
 * followed here. Of one that tells on and on the last `keep` lines are kept.
 */
export function useJob<Line>({ keep = Infinity, lasting }: { keep?: number; lasting?: Lasting } = {}): JobState<Line> {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [end, setEnd] = useState<JobEnd | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [runs, setRuns] = useState(false);
  const [kind, setKind] = useState('');
  /** Undefined until one is followed; null when that has ended. */
  const job = useRef<Followed | null | undefined>(undefined);
  const last = useRef('');

  const leave = (): void => {
    job.current?.source?.close();
    job.current = null;
  };

  const cancel = (id: string): void => void remove(`/jobs/${id}`).catch(() => {});

  const stop = (): void => {
    const mine = job.current;
    if (!mine) return;
    mine.stopped = true;
    if (mine.id) cancel(mine.id);
    leave();
    setRuns(false);
  };

  const follow = (id: string): void => {
    const source = new EventSource(`/api/v1/jobs/${id}/lines`);
    job.current = { id, source };
    last.current = id;
    // A stream that broke off begins again with the first line.
    source.addEventListener('open', () => setLines([]));
    source.addEventListener('line', (message) => {
      const object = JSON.parse((message as MessageEvent<string>).data) as Line;
      setLines((known) => (known.length < keep ? [...known, object] : [...known.slice(1 - keep), object]));
    });
    source.addEventListener('end', (message) => {
      const told = JSON.parse((message as MessageEvent<string>).data) as JobEnd;
      leave();
      setEnd(told);
      setRuns(false);
      if (told.exit !== 0 && told.words) setError(new Refusal(0, said(told.words)));
    });
    // The browser asks again by itself, until it is refused: then the gateway has begun anew, and its jobs are gone.
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED || job.current?.source !== source) return;
      leave();
      last.current = '';
      setRuns(false);
      setError(new Refusal(0, t('job.gone'), t('job.gone.next')));
    });
  };

  const start = (body: Record<string, unknown>): void => {
    stop();
    setLines([]);
    setEnd(null);
    setError(null);
    setRuns(true);
    setKind(String(body.kind));
    const mine: Followed = (job.current = {});
    post<{ job: string }>('/jobs', body).then(({ job: id }) => {
      if (job.current === mine) follow(id);
      else if (mine.stopped) {
        last.current = id;
        cancel(id);
      }
    }, (refused) => {
      if (job.current !== mine) return;
      leave();
      setError(refused);
      setRuns(false);
    });
  };

  const [begun, setBegun] = useState(0);
  useEffect(() => (lasting ? listen('event', ({ k, v }) => void (k === 'config' && wordsOf(String(v)).did === 'job-started' && setBegun((n) => n + 1))) : undefined), [lasting?.of]);
  useEffect(() => {
    let gone = false;
    const comeBack = ({ jobs }: { jobs: Listed[] }): void => {
      const newest = jobs.filter((one) => lasting!.kinds.includes(one.kind) && one.of === lasting!.of).at(-1);
      // What was started here meanwhile goes before it, even if it has ended.
      if (gone || job.current || !newest || newest.job === last.current) return;
      if (!newest.running && (job.current === null || gatewayNow() - newest.ended! >= TOLD_MS)) return;
      setEnd(null);
      setError(null);
      setRuns(newest.running);
      setKind(newest.kind);
      follow(newest.job);
    };
    if (lasting && !job.current) get<{ jobs: Listed[] }>('/jobs').then(comeBack).catch(() => {});
    return () => void (gone = true);
  }, [lasting?.of, lasting?.sign, begun]);
  useEffect(() => {
    const end = lasting ? leave : stop;
    // A page that is loaded anew or closed is gone without more ado.
    if (!lasting) addEventListener('pagehide', end);
    return () => {
      removeEventListener('pagehide', end);
      end();
      job.current = undefined;
      last.current = '';
    };
  }, [lasting?.of]);
  return { runs, kind, lines, end, error, start, stop };
}
