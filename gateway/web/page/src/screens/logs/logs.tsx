/** What the gateway wrote to its log, and what it writes while one looks: it follows the end, unless one has scrolled up. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isTrail } from '../../api/audit';
import { get, query } from '../../api/client';
import { useLive } from '../../api/live';
import type { LogLine } from '../../api/types';
import { gatewayNow } from '../../lib/clock';
import { moment } from '../../lib/format';
import { t, told } from '../../lib/text';
import { Choice, TextField } from '../../parts/field';
import { Problem } from '../../parts/notice';
import { Said } from '../../parts/said';
import { Screen } from '../../parts/screen';
import { Shape, type Level } from '../../parts/state';
import { trailInWords } from '../history/trail';

/** The gateway keeps no more in memory either. */
const LINES_MAX = 1_000;
const FIRST = 500;
/** So near to the end is the end, px. */
const END_PX = 24;

const order = ['error', 'warn', 'info', 'debug'];
const levels: Record<string, Level> = { error: 'down', warn: 'look', info: 'unknown', debug: 'unknown' };

export function Logs() {
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [loaded, setLoaded] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [least, setLeast] = useState('info');
  const [search, setSearch] = useState('');
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useEffect(() => void get<{ lines: LogLine[] }>('/log' + query({ limit: FIRST })).then((answer) => {
    setLines(answer.lines);
    setLoaded(true);
  }, setError), []);
  useLive('log', (line) => setLines((known) => [...known, line].slice(-LINES_MAX)));

  const shown = lines.filter((line) => order.indexOf(line.level) <= order.indexOf(least) && `${line.part} ${line.words}`.toLowerCase().includes(search.toLowerCase()));
  useLayoutEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown.length, lines.at(-1)]);
  return (
    <Screen title={t('nav.logs')} lead={t('logs.lead')}>
      <form class="filter logs-filter" role="search" onSubmit={(event) => event.preventDefault()}>
        <TextField label={t('devices.search')} type="search" value={search} onText={setSearch} />
        <Choice label={t('logs.level')} value={least} onChoice={setLeast} choices={order.map((level) => [level, told(`logs.${level}`, level)] as const)} />
      </form>
      <Problem error={error} />
      <div class="log-box" ref={box} tabIndex={0} role="log" aria-live="off" aria-label={t('nav.logs')} onScroll={(event) => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
        follows.current = scrollHeight - scrollTop - clientHeight < END_PX;
      }}>
        {!shown.length && loaded && <p class="quiet-line">{t('logs.none')}</p>}
        <ol class="log-lines">
          {shown.map((line, i) => (
            <li key={`${line.t}/${i}`}>
              <time>{moment(line.t, gatewayNow())}</time>
              <span class="log-level"><Shape level={levels[line.level] ?? 'unknown'} />{told(`logs.${line.level}`, line.level)}</span>
              <span class="log-part">{line.part}</span>
              <span class="log-words">{isTrail(line.words) ? trailInWords(line.words) : <Said text={line.words} />}</span>
            </li>
          ))}
        </ol>
      </div>
    </Screen>
  );
}
