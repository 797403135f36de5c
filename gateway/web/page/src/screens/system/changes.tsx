/** What was changed, by whom, and what became of it. */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { pending } from '../../api/config';
import { useCell } from '../../lib/cell';
import { gatewayNow } from '../../lib/clock';
import { dateTime, moment } from '../../lib/format';
import { phrase } from '../../lib/phrases';
import { said, t, told } from '../../lib/text';
import { Lines } from '../../parts/lines';
import { Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Review } from '../../parts/review';
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

interface Whole {
  lines: string;
  text: string;
}

const SHOWN = 10;
const levels: Record<Change['state'], Level> = { confirmed: 'up', reverted: 'unknown', pending: 'look' };

/** What it changed; and, where it is `past`, the way back to it. */
function Compared({ change: { change, at }, past }: { change: Change; past: boolean }) {
  const [whole, setWhole] = useState<Whole | null>(null);
  const [reviewing, setReviewing] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const load = () => void get<Whole>(`/config/history/${encodeURIComponent(change)}`).then(setWhole, setError);
  const when = dateTime(at);
  return (
    <>
      <details class="difference-lines" onToggle={(event) => event.currentTarget.open && !whole && load()}>
        <summary>{t('review.lines')}</summary>
        {whole && <Lines lines={whole.lines} />}
      </details>
      <Problem error={error} />
      {past && <button class="button small" type="button" onClick={() => {
        setReviewing(true);
        load();
      }}>{t('changes.back')}<span class="unseen"> {when}</span></button>}
      {reviewing && whole && <Review title={t('changes.as', { when })} edits={whole.text} onClose={() => setReviewing(false)} />}
    </>
  );
}

export function Changes() {
  const [known, setKnown] = useState<readonly Change[] | null>(null);
  const [shown, setShown] = useState(SHOWN);
  const [error, setError] = useState<unknown>(null);
  const trial = useCell(pending);
  useEffect(() => void get<{ changes: Change[] }>('/config/history').then((answer) => setKnown(answer.changes), setError), [trial?.change]);
  const changes = known ?? [];
  const inForce = changes.find(({ state }) => state === 'confirmed');
  return (
    <Panel title={t('changes.title')}>
      <Edited trial={trial?.change} />
      <Problem error={error} />
      {known?.length === 0 && <p class="quiet-line">{t('changes.none')}</p>}
      <ol class="entries changes">
        {changes.slice(0, shown).map((change) => (
          <li key={change.change}>
            <p class="change-line"><time>{moment(change.at, gatewayNow())}</time> <b>{phrase(change.by) ?? change.by}</b> <State level={levels[change.state]} word={told(`changes.${change.state}`, change.state)} /></p>
            <p class="quiet-line">{[said(change.comment ?? ''), change.words, said(change.why ?? '')].filter(Boolean).join(' · ')}</p>
            <Compared change={change} past={!trial && change.state === 'confirmed' && change !== inForce} />
          </li>
        ))}
      </ol>
      {changes.length > shown && <button class="button small quiet" type="button" onClick={() => setShown(Infinity)}>{t('nav.more')}</button>}
    </Panel>
  );
}
