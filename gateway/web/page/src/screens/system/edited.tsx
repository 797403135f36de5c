/** What somebody edited in the file by hand, past the page: what is not in force yet, and what was kept beside it. */
import { useEffect, useState } from 'preact/hooks';
import { get, remove } from '../../api/client';
import { gatewayNow } from '../../lib/clock';
import { moment } from '../../lib/format';
import { t } from '../../lib/text';
import { Lines } from '../../parts/lines';
import { Notice, Problem } from '../../parts/notice';
import { SureButton } from '../../parts/sure-button';

interface Answer {
  waiting: { lines: string } | null;
  kept: { path: string; at: number; lines: string } | null;
}

/** `trial` is the change that waits, whose end may be what brings an edit to light. */
export function Edited({ trial }: { trial: string | undefined }) {
  const [edited, setEdited] = useState<Answer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = () => get<Answer>('/config/edited').then(setEdited, setError);
  useEffect(() => void load(), [trial]);
  const { waiting, kept } = edited ?? {};
  return (
    <>
      <Problem error={error} />
      {waiting && (
        <Notice level="look" title={t('edited.waiting')} next={t('edited.waiting.next')}>
          <details class="difference-lines"><summary>{t('review.lines')}</summary><Lines lines={waiting.lines} /></details>
        </Notice>
      )}
      {kept && (
        <Notice level="look" title={t('edited.kept')} why={t('edited.kept.why', { when: moment(kept.at, gatewayNow()), path: kept.path })} next={t('edited.kept.next')}>
          <details class="difference-lines"><summary>{t('review.lines')}</summary><Lines lines={kept.lines} /></details>
          <SureButton label={t('accounts.remove')} about={kept.path} onSure={() => void remove('/config/edited').then(load, setError)} />
        </Notice>
      )}
    </>
  );
}
