/**
 * A new device often comes with the unit number of the one before it: gives it another, where its profile tells by which
 * register that is done.
 */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import type { Config } from '../../api/config';
import { useJob } from '../../api/jobs';
import { said, t } from '../../lib/text';
import { TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { SureButton } from '../../parts/sure-button';
import type { StepProps } from './add-device';
import { freeUnit, placeLine, placeOn } from './draft';

interface Profile {
  profile: { assign?: { setup?: string } };
}

interface Assigned {
  kind: string;
  to: number;
  verified: boolean;
}

export function Assign({ draft, change, config }: StepProps & { config: Config }) {
  const job = useJob<Assigned>();
  const place = draft.place!, serial = 'port' in place || ('bus' in place && place.driver !== 'modbus-tcp');
  const [able, setAble] = useState<Profile['profile']['assign']>(undefined);
  const [to, setTo] = useState(String(freeUnit(config, place, draft.unit + 1)));
  useEffect(() => {
    setAble(undefined);
    if (draft.profile && serial) get<Profile>(`/profiles/${encodeURIComponent(draft.profile)}`).then(({ profile }) => setAble(profile.assign), () => {});
  }, [draft.profile, serial]);
  const done = job.lines.find((line) => line.kind === 'assigned');
  useEffect(() => {
    if (done) change({ unit: done.to });
  }, [done?.to]);
  if (!able) return null;
  return (
    <details class="add">
      <summary>{t('assign.title')}</summary>
      <p class="quiet-line">{t('assign.what', { unit: draft.unit })}</p>
      {able.setup && <p class="quiet-line" lang="en">{said(able.setup)}</p>}
      <div class="test-row">
        <TextField label={t('assign.to')} inputmode="numeric" value={to} onText={setTo} />
        <span class="actions"><SureButton label={t(job.runs ? 'assign.runs' : 'assign.do')} about={to}
          onSure={() => job.start({ kind: 'assign', on: placeOn(place), profile: draft.profile, to: Number(to), unit: draft.unit, line: placeLine(place) })} /></span>
      </div>
      <Problem error={job.error} />
      <div aria-live="polite">
        {done && <Notice level={done.verified ? 'up' : 'look'} title={t(done.verified ? 'assign.done' : 'assign.restart', { unit: done.to })} />}
      </div>
    </details>
  );
}
