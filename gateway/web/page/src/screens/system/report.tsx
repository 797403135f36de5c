/** The commissioning report: to be filled in before the devices and printed. Each value stands beside what the display shows. */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { loadPoints, pointKey, points } from '../../api/points';
import type { DeviceStatus, Display, Status, StoredEvent } from '../../api/types';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { dateTime, number } from '../../lib/format';
import { t, told } from '../../lib/text';
import { Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Screen } from '../../parts/screen';
import { State } from '../../parts/state';
import { keeping, ReportRow } from './report-row';

interface Answer {
  made: number;
  by: string;
  status: Status;
  values: StoredEvent[];
  displays: Display[];
}

/** How much of it there is, and how much is as it should be. */
function Counts({ now, values }: { now: Status; values: readonly StoredEvent[] }) {
  const devices = now.buses.flatMap((bus) => bus.devices), read = values.filter((event) => event.d && event.p);
  return (
    <Panel title={t('report.counts')}>
      <dl class="facts">
        <div><dt>{t('nav.devices')}</dt><dd>{t('report.of', { good: number(devices.filter((device) => device.up).length), of: number(devices.length) })}</dd></div>
        <div><dt>{t('device.values')}</dt><dd>{t('report.of.values', { good: number(read.filter((event) => event.q === 'good').length), of: number(read.length) })}</dd></div>
        <div><dt>{t('report.unverified')}</dt><dd>{number(devices.filter((device) => device.unverified).length)}</dd></div>
        <div><dt>{t('ledger.stored')}</dt><dd>{number(now.journal.stored)}</dd></div>
        <div><dt>{t('ledger.refused')}</dt><dd>{number(now.journal.refused)}</dd></div>
        <div><dt>{t('report.config')}</dt><dd><code>{now.config.fingerprint}</code></dd></div>
      </dl>
    </Panel>
  );
}

interface DeviceProps {
  device: DeviceStatus;
  bus: string;
  values: readonly StoredEvent[];
  displays: readonly Display[];
}

function Device({ device, bus, values, ...noted }: DeviceProps) {
  const known = useCell(points);
  // Of its own: what is typed of one device draws no other.
  const [displays, setDisplays] = useState(noted.displays);
  const [error, setError] = useState<unknown>(null);
  const identity = Object.entries(device.learnt.identity ?? {}).map(([key, value]) => `${told(`identity.${key}`, key)} ${value}`).join(', ');
  const errors = device.timeouts + device.corrupt + device.unexpected + device.exceptions;
  return (
    <Panel title={device.name || device.id} aside={<State level={device.up ? 'up' : 'down'} />}>
      <p class="quiet-line">{[device.id, bus, device.profile, identity].filter(Boolean).join(' · ')}</p>
      <p class="quiet-line">{t('report.errors', { n: errors, count: number(errors), requests: number(device.requests) })}</p>
      <table class="table stacked report-table">
        <thead><tr><th scope="col" class="whole">{t('report.point')}</th><th scope="col" class="number">{t('report.value')}</th><th scope="col">{t('report.display')}</th><th scope="col" class="number">{t('report.difference')}</th></tr></thead>
        <tbody>
          {values.map((event) => {
            const point = known?.get(pointKey({ d: event.d!, p: event.p! })) ?? { d: event.d!, p: event.p!, type: 'number' };
            return <ReportRow key={event.p} point={point} value={event} noted={displays.find((one) => one.p === event.p)} onError={setError}
              onNoted={(noted) => setDisplays((before) => [...before.filter((one) => one.p !== event.p), ...(noted ? [noted] : [])])} />;
          })}
        </tbody>
      </table>
      <Problem error={error} />
    </Panel>
  );
}

/** "sluice-report-plant7-2026-11-27", as backups are named. */
export const reportName = ({ made, status }: Pick<Answer, 'made' | 'status'>): string => `sluice-report-${status.id}-${new Date(made).toISOString().slice(0, 10)}`;

export function Report() {
  const [report, setReport] = useState<Answer | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    void loadPoints().catch(() => {});
    get<Answer>('/export/report').then(setReport, setError);
  }, []);
  const now = report?.status;
  // A browser names what it prints into a file by the title: whose it is, and of which day.
  useEffect(() => {
    if (report) document.title = reportName(report);
  }, [report?.made]);
  return (
    <Screen title={t('report.title')} above={<a href={link('system')}>{t('nav.system')}</a>}
      lead={report && now && t('report.lead', { gateway: now.name || now.id, when: dateTime(report.made), by: report.by })}
      aside={<button class="button primary" type="button" onClick={() => void keeping.then(() => setTimeout(print))}>{t('report.print')}</button>}>
      <Problem error={error} />
      {report && now && (
        <div class="report">
          <Counts now={now} values={report.values} />
          <Panel title={t('nav.uplinks')}>
            <dl class="facts">
              {now.uplinks.map((uplink) => (
                <div key={uplink.id}><dt>{uplink.id} <span class="fact-what">{uplink.url}</span></dt>
                  <dd>{told(`uplink.${uplink.state}`, uplink.state)} · {t(uplink.delivery_proven ? 'uplink.proven' : 'uplink.unproven')} · {t('report.delivered', { count: number(now.consumers[`uplink/${uplink.id}`]?.acked ?? 0) })}</dd></div>
              ))}
            </dl>
          </Panel>
          {now.buses.flatMap((bus) => bus.devices.map((device) => (
            <Device key={device.id} device={device} bus={bus.id} values={report.values.filter((event) => event.d === device.id && event.p)}
              displays={report.displays.filter((one) => one.d === device.id)} />
          )))}
          <Panel title={t('report.sign')}><p class="report-sign" /></Panel>
        </div>
      )}
    </Screen>
  );
}
