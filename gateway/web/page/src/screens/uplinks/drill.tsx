/** The outage drill: cuts the broker off for some minutes on purpose, and counts what that did. */
import { useState } from 'preact/hooks';
import { useJob } from '../../api/jobs';
import type { UplinkStatus } from '../../api/types';
import { duration, number } from '../../lib/format';
import { said, t, told } from '../../lib/text';
import { Choice } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';

interface Phase {
  phase: string;
  left_s?: number;
  backlog?: number;
  cut_s?: number;
  waited?: number;
  drain_s?: number;
  missing?: number;
  duplicates?: number;
  proven?: boolean;
}

const MINUTES = ['1', '2', '5', '15', '60'];

/** Once it may come back, what keeps it away is no drill any more. */
const BACK = ['returning', 'draining'];

export function Drill({ uplink }: { uplink: UplinkStatus }) {
  const { id } = uplink;
  const job = useJob<Phase>({ lasting: { kinds: ['drill'], of: id, sign: uplink.drill } });
  const [minutes, setMinutes] = useState('2');
  const end = job.lines.find((line) => line.phase === 'end'), now = job.lines.at(-1);
  return (
    <Panel title={t('drill.title')}>
      <p class="quiet-line">{t('drill.what')}</p>
      {!job.runs && uplink.drill && <Notice level="look" title={t('drill.elsewhere')} why={uplink.drill} />}
      {!job.runs && !uplink.drill && (
        <>
          <Choice label={t('drill.minutes')} value={minutes} onChoice={setMinutes} choices={MINUTES.map((n) => [n, t('unit.min', { n })] as const)} />
          <div class="actions"><button class="button" type="button" onClick={() => job.start({ kind: 'drill', uplink: id, minutes: Number(minutes) })}>{t('drill.start')}</button></div>
        </>
      )}
      {job.runs && (
        <>
          <dl class="facts">
            <div><dt>{t('drill.phase')}</dt><dd>{now ? told(`drill.${now.phase}`, now.phase) : t('drill.begins')}</dd></div>
            <div><dt>{t('drill.left')}</dt><dd>{now?.left_s === undefined ? t('value.none') : duration(now.left_s * 1000)}</dd></div>
            <div><dt>{t('ledger.pending')}</dt><dd>{now?.backlog === undefined ? t('value.none') : number(now.backlog)}</dd></div>
          </dl>
          <div class="actions"><button class="button" type="button" onClick={job.stop}>{t('drill.stop')}</button></div>
        </>
      )}
      {job.runs && now && BACK.includes(now.phase) && uplink.state !== 'online' && uplink.error && <Notice level="look" title={t('drill.away')} why={said(uplink.error)} next={t('drill.away.next')} />}
      <Problem error={end ? null : job.error} />
      <div role="status">
        {end && <Notice level={end.proven ? 'up' : 'down'} title={t(end.proven ? 'drill.proven' : 'drill.unproven')}
          why={t('drill.result', { n: end.waited ?? 0, waited: number(end.waited ?? 0), drain: number(end.drain_s ?? 0, 1), missing: number(end.missing ?? 0), twice: number(end.duplicates ?? 0) })} />}
      </div>
    </Panel>
  );
}
