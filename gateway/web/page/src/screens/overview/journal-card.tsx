/** The journal: what it takes in, how far each reader has read, and how long an outage may last. */
import { rates } from '../../api/status';
import type { Journal, Status } from '../../api/types';
import { bytes, number, outage, rate, shortDate } from '../../lib/format';
import { t } from '../../lib/text';
import { Sparkline } from '../../parts/sparkline';
import { State } from '../../parts/state';
import { Ruler } from './ruler';

const TRAIL = 120;

function kept(journal: Journal): string {
  return t('journal.kept', { n: journal.newest - journal.oldest + 1, count: number(journal.newest - journal.oldest + 1), since: shortDate(journal.oldest_t) });
}

export function JournalCard({ now }: { now: Status }) {
  const { journal } = now;
  const perSecond = rates.of('stored');
  return (
    <div class="flow-journal">
      <h2 class="flow-title">{t('overview.journal')}</h2>
      <div class="journal-card">
        <div class="journal-top">
          <p class="journal-rate">
            <span class="journal-number">{perSecond === null ? t('value.none') : rate(perSecond)}</span>
            <span class="unit">{t('unit.stored')}</span>
          </p>
          <State level={journal.error ? 'down' : 'up'} word={journal.error ? t('journal.stopped') : t('journal.stores')} />
        </div>
        <Sparkline values={rates.trail('stored')} room={TRAIL} width={240} height={32} fromZero />
        <Ruler now={now} />
        <dl class="journal-facts">
          <div><dt>{t('journal.size')}</dt><dd>{t('journal.size.of', { used: bytes(journal.bytes), keep: bytes(journal.keep_bytes) })}</dd></div>
          <div><dt>{t('journal.lasts')}</dt><dd>{outage(journal.outage_days)}</dd></div>
          <div><dt>{t('journal.risk')}</dt><dd>{t('unit.ms', { n: number(journal.commit_ms) })}</dd></div>
        </dl>
        <p class="journal-kept">{kept(journal)}</p>
      </div>
    </div>
  );
}
