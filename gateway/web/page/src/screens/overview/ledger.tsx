/** The ledger: what was stored, and what became of it for each reader. It always adds up, and the page counts again. */
import type { Consumer, Status } from '../../api/types';
import { number } from '../../lib/format';
import { t, told } from '../../lib/text';
import { Panel } from '../../parts/panel';
import { State } from '../../parts/state';
import { readerName } from './ruler';

const dropped = (reader: Consumer): number => Object.values(reader.dropped).reduce((sum, count) => sum + count, 0);

function reasons(reader: Consumer): string {
  return Object.entries(reader.dropped).map(([why, count]) => `${number(count)} ${told(`dropped.${why}`, why)}`).join(', ');
}

function Row({ id, reader }: { id: string; reader: Consumer }) {
  const lost = dropped(reader);
  const proof = reader.acked ? <State level="up" word={t('ledger.complete')} /> : t('value.none');
  return (
    <tr>
      <th scope="row" class="whole">{readerName(id)}</th>
      <td class="number">{number(reader.acked)}</td>
      <td class="number">{number(reader.pending)}</td>
      <td class="number">{number(lost)}</td>
      <td class="whole">{lost ? <State level="look" word={reasons(reader)} /> : proof}</td>
    </tr>
  );
}

/** Between the status' parts lies a moment, in which an event may have been stored. */
const addsUp = (now: Status): boolean =>
  Math.abs(now.journal.produced - now.journal.stored - now.journal.refused - now.journal.waiting) <= 1;

export function Ledger({ now }: { now: Status }) {
  const { journal } = now;
  const readers = Object.entries(now.consumers);
  return (
    <Panel title={t('ledger.title')} aside={addsUp(now) ? <State level="up" word={t('ledger.adds')} /> : <State level="look" word={t('ledger.differs')} />}>
      <dl class="ledger-sum">
        <div><dt>{t('ledger.produced')}</dt><dd>{number(journal.produced)}</dd></div>
        <div><dt>{t('ledger.stored')}</dt><dd>{number(journal.stored)}</dd></div>
        <div><dt>{t('ledger.waiting')}</dt><dd>{number(journal.waiting)}</dd></div>
        <div><dt>{t('ledger.refused')}</dt><dd>{number(journal.refused)}</dd></div>
      </dl>
      {readers.length > 0 && (
        <div class="scroll" tabIndex={0} role="group" aria-label={t('ledger.readers')}>
          <table class="table stacked ledger">
            <thead>
              <tr>
                <th scope="col" class="whole">{t('ledger.reader')}</th>
                <th scope="col" class="number">{t('ledger.acked')}</th>
                <th scope="col" class="number">{t('ledger.pending')}</th>
                <th scope="col" class="number">{t('ledger.dropped')}</th>
                <th scope="col" class="whole">{t('ledger.proof')}</th>
              </tr>
            </thead>
            <tbody>{readers.map(([id, reader]) => <Row key={id} id={id} reader={reader} />)}</tbody>
          </table>
        </div>
      )}
      <p class="hint">{t('ledger.hint')}</p>
    </Panel>
  );
}
