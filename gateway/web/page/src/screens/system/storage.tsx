/** The journal's disk: how much it holds, for how long an outage fits, and how fast it is. */
import type { Status } from '../../api/types';
import { bytes, dateTime, number, outage } from '../../lib/format';
import { said, t } from '../../lib/text';
import { Notice } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { State } from '../../parts/state';

export function Storage({ now }: { now: Status }) {
  const { journal } = now;
  return (
    <Panel title={t('system.storage')} aside={<State level={journal.error ? 'down' : 'up'} word={t(journal.error ? 'journal.stopped' : 'journal.stores')} />}>
      {journal.error && <Notice level="down" title={t('trouble.journal')} why={said(journal.error)} next={t('trouble.journal.next')} />}
      <dl class="facts">
        <div><dt>{t('journal.size')}</dt><dd>{t('journal.size.of', { used: bytes(journal.bytes), keep: bytes(journal.keep_bytes) })}</dd></div>
        <div><dt>{t('system.since')}</dt><dd>{journal.oldest_t ? dateTime(journal.oldest_t) : t('value.none')}</dd></div>
        <div><dt>{t('journal.lasts')}</dt><dd>{outage(journal.outage_days)}</dd></div>
        <div><dt>{t('journal.risk')}</dt><dd>{t('unit.ms', { n: number(journal.commit_ms) })}</dd></div>
        <div><dt>{t('system.sync')}</dt><dd>{t('unit.ms', { n: number(journal.last_sync_us / 1000, 1) })}</dd></div>
        <div><dt>{t('system.epoch')}</dt><dd><code>{journal.epoch}</code></dd></div>
      </dl>
    </Panel>
  );
}
