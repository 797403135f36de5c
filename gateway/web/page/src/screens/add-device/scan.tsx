/** Looks who answers: the usual units first, which is done in a minute; then all of them, if one wants. */
import { useEffect } from 'preact/hooks';
import type { Config } from '../../api/config';
import { useJob } from '../../api/jobs';
import { link } from '../../app/router';
import { t, told } from '../../lib/text';
import { Notice, Problem } from '../../parts/notice';
import { State } from '../../parts/state';
import type { StepProps } from './add-device';
import { deviceAt, driverAt, placeFrames, placeOn } from './draft';

interface ScanLine {
  kind: 'line' | 'device' | 'end';
  heard?: string;
  line?: string;
  unit?: number;
  verdict?: string;
  found?: number;
  /** Of the end: those that were asked. */
  units?: string;
  profile?: string;
  identification?: Record<string, string | number>;
}

const QUICK_UNITS = '1-16';

function about(line: ScanLine): string {
  const said = line.identification ?? {};
  return ['vendor', 'product_name', 'model', 'product_code'].map((key) => said[key]).filter(Boolean).join(' ');
}

interface FoundProps {
  line: ScanLine;
  /** What the configuration calls it, where it has it already. */
  known?: { id: string; name?: string };
  take: () => void;
}

function Found({ line, known, take }: FoundProps) {
  const unit = t('scan.unit', { unit: line.unit ?? 0 });
  if (known)
    return (
      <li>
        <span><b>{unit}</b> <a href={link('devices', known.id)}>{known.name || known.id}</a></span>
        {line.verdict === 'present' ? <State level="up" word={t('scan.known')} /> : <State level="look" word={told(`scan.${line.verdict}`, line.verdict ?? '')} />}
      </li>
    );
  return (
    <li>
      <span><b>{unit}</b> <span class="quiet-line">{about(line) || line.profile || t('scan.nameless')}</span></span>
      <State level={line.verdict === 'present' ? 'up' : 'look'} word={told(`scan.${line.verdict}`, line.verdict ?? '')} />
      <button class="button small primary" type="button" onClick={take}>{t('scan.take')}<span class="unseen"> {unit}</span></button>
    </li>
  );
}

export function Scan({ draft, change, config, onFound }: StepProps & { config: Config; onFound: () => void }) {
  const job = useJob<ScanLine>();
  const place = draft.place!, known = 'bus' in place;
  const look = (deep: boolean) => job.start({ kind: 'scan', on: placeOn(place), frames: placeFrames(place), ...(deep ? {} : { units: QUICK_UNITS, listen_s: 1 }) });
  useEffect(() => look(false), []);
  const devices = job.lines.filter((line) => line.kind === 'device');
  // Without this line it could not look: why not is told, and nothing of who answers.
  const looked = job.lines.find((line) => line.kind === 'end');
  const heard = job.lines.find((line) => line.kind === 'line');

  const take = (line: ScanLine): void => {
    const settings = !known && 'port' in place && line.line ? { place: { ...place, line: line.line } } : {};
    change({ ...settings, unit: line.unit ?? 1, profile: line.profile, heard: about(line) });
    onFound();
  };

  return (
    <div class="scan">
      <p class="scan-state" aria-live="polite">
        {job.runs ? t('scan.runs', { n: devices.length }) : looked ? `${t('scan.done', { n: devices.length })} ${t('scan.asked', { units: looked.units ?? '' })}` : ''}
      </p>
      {job.runs && <div class="progress" aria-hidden="true"><i /></div>}
      {heard?.heard && heard.heard !== 'silence' && <Notice level="look" title={told(`scan.heard.${heard.heard}`, heard.heard)} />}
      <ul class="entries">
        {devices.map((line) => (
          <Found key={`${line.unit}/${line.line}`} line={line} known={deviceAt(config, place, line.unit ?? 1)} take={() => take(line)} />
        ))}
      </ul>
      {!looked && <Problem error={job.error} />}
      {looked && !devices.length && <Notice level="look" title={t('scan.nobody')} next={t(driverAt(place) === 'modbus-tcp' ? 'scan.nobody.network' : 'scan.nobody.next')} />}
      <div class="actions">
        {job.runs ? <button class="button" type="button" onClick={job.stop}>{t('scan.stop')}</button>
          : <><button class="button" type="button" onClick={() => look(false)}>{t('scan.again')}</button><button class="button quiet" type="button" onClick={() => look(true)}>{t('scan.deep')}</button></>}
      </div>
    </div>
  );
}
