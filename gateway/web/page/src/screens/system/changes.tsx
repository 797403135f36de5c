/** What was changed, by whom, and what became of it. */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { pending } from '../../api/config';
import { useCell } from '../../lib/cell';
import { gatewayNow } from '../../lib/clock';
import { moment } from '../../lib/format';
import { said, t, told } from '../../lib/text';
import { Lines } from '../../parts/lines';
import { Panel } from '../../parts/panel';
import { Problem } from '../../parts/notice';
import { State, type Level } from '../../parts/state';
import { Edited } from './edited';

interface Change {
  change: string;
  at: number;
  by: string;
  origin?: string;
  comment?: string;
  words?: string;
  state: 'confirmed' | 'reverted' | 'pending';
  why?: string;
}

const SHOWN = 10;
const levels: Record<Change['state'], Level> = { confirmed: 'up', reverted: 'unknown', pending: 'look' };

function Compared({ change }: { change: string }) {
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = () => get<{ lines: string }>(`/config/history/${encodeURIComponent(change)}`).then((answer) => setText(answer.lines), setError);
  return (
    <details class="difference-lines" onToggle={(event) => event.currentTarget.open && text === null && void load()}>
      <summary>{t('review.lines')}</summary>
      <Problem error={error} />
      {text !== null && <Lines lines={text} />}
    </details>
  );
}

export function Changes() {
  const [changes, setChanges] = useState<readonly Change[]>([]);
  const [error, setError] = useState<unknown>(null);
  const trial = useCell(pending);
  useEffect(() => void get<{ changes: Change[] }>('/config/history').then((answer) => setChanges(answer.changes), setError), [trial?.change]);
  const newest = [...changes].sort((a, b) => b.at - a.at).slice(0, SHOWN);
  return (
    <Panel title={t('changes.title')}>
      <Edited trial={trial?.change} />
      <Problem error={error} />
      {!newest.length && !error && <p class="quiet-line">{t('changes.none')}</p>}
      <ol class="entries changes">
        {newest.map((change) => (
          <li key={change.change}>
            <p class="change-line"><time>{moment(change.at, gatewayNow())}</time> <b>{change.by}</b> <State level={levels[change.state]} word={told(`changes.${change.state}`, change.state)} /></p>
            <p class="quiet-line">{[said(change.comment ?? ''), change.words, said(change.why ?? '')].filter(Boolean).join(' · ')}</p>
            <Compared change={change.change} />
          </li>
        ))}
      </ol>
    </Panel>
  );
}
