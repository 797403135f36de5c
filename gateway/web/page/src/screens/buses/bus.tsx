/** One line: its second as a picture, and every device on it with what it costs and what goes wrong. */
import { may } from '../../api/session';
import { status, sums, useFreshStatus } from '../../api/status';
import type { BusStatus } from '../../api/types';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { number } from '../../lib/format';
import { said, t, told } from '../../lib/text';
import { Notice } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Screen } from '../../parts/screen';
import { State } from '../../parts/state';
import { Trace } from '../device/trace';
import { deviceLevel, deviceWord } from '../devices/row';
import { busLevel } from '../overview/bus-card';
import { isShared, shares, verdict, verdictLevel } from './load';
import { SettingsLink } from '../settings/settings';
import { Second } from './second';

const NOTHING = { up: 0, down: 0, bad: 0, requests: 0, replies: 0, percent: 0 };

function DeviceTable({ bus }: { bus: BusStatus }) {
  const errors = (device: BusStatus['devices'][number]) => device.timeouts + device.corrupt + device.unexpected + device.exceptions;
  const sorted = [...bus.devices].sort((a, b) => b.bus_percent - a.bus_percent);
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={t('bus.devices')}>
      <table class="table stacked">
        <thead>
          <tr>
            <th scope="col" class="whole">{t('bus.device')}</th>
            <th scope="col" class="whole">{t('bus.state')}</th>
            <th scope="col" class="number">{t('answers.share')}</th>
            <th scope="col" class="number">{t('answers.round')}</th>
            <th scope="col" class="number">{t('bus.requests')}</th>
            <th scope="col" class="number">{t('bus.errors')}</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((device) => (
            <tr key={device.id}>
              <th scope="row" class="whole"><a href={link('devices', device.id)}>{device.name || device.id}</a></th>
              <td class="whole"><State level={deviceLevel({ key: '', bus, device })} word={deviceWord({ key: '', bus, device })} /></td>
              <td class="number">{number(device.bus_percent, 1)}&nbsp;<span class="unit">%</span></td>
              <td class="number">{t('unit.ms', { n: number(device.round_trip_us / 1000, 1) })}</td>
              <td class="number">{number(device.requests)}</td>
              <td class="number">{number(errors(device))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Bus({ id }: { id: string }) {
  const now = useCell(status), counted = useCell(sums).get(id) ?? NOTHING;
  useFreshStatus();
  const bus = now?.buses.find((one) => one.id === id);
  const above = <a href={link('buses')}>{t('nav.buses')}</a>;
  if (!now) return <Screen title={id} above={above}>{null}</Screen>;
  if (!bus) return <Screen title={id} above={above}><Notice level="look" title={t('bus.gone', { id })} next={t('bus.gone.next')} /></Screen>;
  const judged = verdict(counted.percent);
  return (
    <Screen title={id} above={above} lead={told(`driver.${bus.driver}`, bus.driver)}
      aside={<><State level={busLevel(bus, counted)} word={t('bus.answer', { up: counted.up, of: bus.devices.length })} />{may('owner') && <SettingsLink kind="buses" id={id} />}</>}>
      {bus.error && <Notice level="down" title={t('trouble.bus', { bus: id })} why={said(bus.error)} next={t('trouble.bus.next')} />}
      {bus.lent && <Notice level="paused" title={t('trouble.lent', { bus: id, to: bus.lent.to })} next={t('trouble.lent.next')} />}
      {isShared(bus) && (
        <Panel title={t('bus.load')} aside={<State level={verdictLevel[judged]} word={t(`bus.verdict.${judged}`)} />}>
          <p class="bus-percent"><span class="journal-number">{number(counted.percent, 0)}</span><span class="unit">{t('unit.busy')}</span></p>
          <Second shares={shares(bus)} />
          <p class="second-scale"><span>0</span><span>{t('unit.ms', { n: number(500) })}</span><span>{t('unit.s', { n: 1 })}</span></p>
          <p class="hint">{t(`bus.verdict.${judged}.next`)}</p>
        </Panel>
      )}
      <div class="below"><Panel title={t('bus.devices')}><DeviceTable bus={bus} /></Panel></div>
      <Trace bus={bus} />
    </Screen>
  );
}
