/** How the device answers: what it costs its line, and what went wrong, counted. */
import { useState } from 'preact/hooks';
import { post, query } from '../../api/client';
import { may } from '../../api/session';
import type { BusStatus, DeviceStatus } from '../../api/types';
import { number } from '../../lib/format';
import { t, told, type TextKey } from '../../lib/text';
import { Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';

type Counter = 'timeouts' | 'corrupt' | 'unexpected' | 'exceptions' | 'reconnects';
const counters: readonly Counter[] = ['timeouts', 'corrupt', 'unexpected', 'exceptions', 'reconnects'];

function Fact({ name, value, unit, what }: { name: TextKey; value: string; unit?: string; what?: string }) {
  return (
    <div>
      <dt>{t(name)}</dt>
      <dd>{value}{unit && <>&nbsp;<span class="unit">{unit}</span></>} {what && <span class="fact-what">{what}</span>}</dd>
    </div>
  );
}

const ms = (us: number): string => number(us / 1000, 1);

/** What was learnt can be learnt again, after a change of the device. */
function Forget({ device }: { device: DeviceStatus }) {
  const [done, setDone] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const forget = () => post('/forget' + query({ device: device.id, what: 'all' })).then(() => setDone(true), setError);
  return (
    <>
      <Problem error={error} />
      <div class="actions" aria-live="polite">
        {done ? <p class="hint">{t('answers.forgotten')}</p> : <button type="button" class="button small" onClick={() => void forget()}>{t('answers.forget')}</button>}
      </div>
    </>
  );
}

/** The share of requests that were answered, and not by an exception: what is no error in the report. */
export function answeredWell({ requests, replies, exceptions }: Pick<DeviceStatus, 'requests' | 'replies' | 'exceptions'>): number {
  return (replies - exceptions) / requests;
}

export function Answers({ bus, device }: { bus: BusStatus; device: DeviceStatus }) {
  const { learnt } = device;
  // Of one that speaks by itself nobody knows how it would answer.
  const asked = (value: string, unit: string) => (device.requests ? { value, unit } : { value: t('value.none') });
  return (
    <Panel title={t('answers.title')}>
      <dl class="facts">
        <Fact name="answers.answered" {...asked(number(100 * answeredWell(device), 1), '%')} what={t('answers.of', { n: device.requests, count: number(device.requests) })} />
        <Fact name="answers.share" value={number(device.bus_percent, 1)} unit="%" what={bus.id} />
        <Fact name="answers.round" {...asked(ms(device.round_trip_us), 'ms')} />
        <Fact name="answers.turnaround" {...asked(ms(device.turnaround_us), 'ms')} />
        {counters.map((counter) => <Fact key={counter} name={`answers.${counter}`} value={number(device[counter])} />)}
        {learnt.max_block > 0 && <Fact name="answers.block" value={number(learnt.max_block)} unit={t('unit.registers')} />}
      </dl>
      {learnt.points && learnt.points.length > 0 && (
        <>
          <h3 class="facts-head">{t('answers.refused')}</h3>
          <ul class="refused">{learnt.points.map((point) => <li key={point.id}><b>{point.id}</b> {told(`why.${point.why}`, point.why)} {told(`help.${point.why}`, '')}</li>)}</ul>
        </>
      )}
      {may('owner') && bus.driver.startsWith('modbus') && <Forget device={device} />}
    </Panel>
  );
}
