/** One device: its values and their course, what can be written, how it answers, and what goes over its line. */
import { useEffect, useState } from 'preact/hooks';
import { deviceHelp } from '../../api/conditions';
import { useWant } from '../../api/live';
import { followValues, loadPoints, points } from '../../api/points';
import { may } from '../../api/session';
import { status, useFreshStatus } from '../../api/status';
import { followTrails } from '../../api/trails';
import type { BusStatus, DeviceStatus, Point } from '../../api/types';
import type { ScreenArguments } from '../../app/screens';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { t, told } from '../../lib/text';
import { Notice } from '../../parts/notice';
import { Screen } from '../../parts/screen';
import { State } from '../../parts/state';
import { deviceLevel, deviceWord } from '../devices/row';
import { SettingsLink } from '../settings/settings';
import { Answers } from './answers';
import { Course } from './course';
import { Firmware } from './firmware';
import { Identity } from './identity';
import { Trace } from './trace';
import { Values } from './values';
import { Wiring } from './wiring';

interface Found {
  bus: BusStatus;
  device: DeviceStatus;
}

function find(buses: readonly BusStatus[], id: string): Found | null {
  for (const bus of buses) {
    const device = bus.devices.find((one) => one.id === id);
    if (device) return { bus, device };
  }
  return null;
}

/** What it says of itself when it does not answer. */
function Down({ bus, device }: Found) {
  if (device.up || !device.why) return null;
  const again = device.next_probe_ms ? t('device.again', { s: Math.ceil(device.next_probe_ms / 1000) }) : '';
  return (
    <Notice level={bus.lent ? 'paused' : 'down'} title={t('trouble.device', { name: device.name || device.id, bus: bus.id })}
      why={told(`why.${device.why}`, device.why)} next={`${deviceHelp(device)} ${again}`} />
  );
}

export function Device({ rest }: ScreenArguments) {
  const id = rest[0] ?? '';
  const now = useCell(status), known = useCell(points);
  const [shown, setShown] = useState<string | null>(null);
  useFreshStatus();
  useWant(id);
  useEffect(followValues, []);
  useEffect(followTrails, []);
  useEffect(() => void loadPoints().catch(() => {}), [id, now?.config.fingerprint]);
  if (!now) return <Screen title={id} above={<a href={link('devices')}>{t('nav.devices')}</a>}>{null}</Screen>;
  const found = find(now.buses, id);
  const above = <a href={link('devices')}>{t('nav.devices')}</a>;
  if (!found) return <Screen title={id} above={above}><Notice level="look" title={t('device.gone', { id })} next={t('device.gone.next')} /></Screen>;
  const { bus, device } = found;
  const own: Point[] = known ? [...known.values()].filter((point) => point.d === id) : [];
  const charted = own.find((point) => point.p === shown) ?? own.find((point) => point.type !== 'string') ?? null;
  return (
    <Screen title={device.name || device.id} above={above}
      lead={<>{t('device.on', { id: device.id })} <a href={link('buses', bus.id)}>{bus.id}</a></>}
      aside={<>
        <State level={deviceLevel({ key: '', bus, device })} word={deviceWord({ key: '', bus, device })} />
        {may('owner') && <SettingsLink kind="devices" id={id} />}
        {may('owner') && bus.driver.startsWith('modbus') && <a class="button small" href={`${link('devices', '+')}?like=${encodeURIComponent(id)}`}>{t('add.another')}</a>}
      </>}>
      <Down bus={bus} device={device} />
      <div class="device-grid">
        <div class="stack">
          <Values points={own} shown={charted?.p ?? null} show={setShown} loaded={!!known} />
          <Answers bus={bus} device={device} />
        </div>
        <div class="stack device-side">
          {charted && <Course key={charted.p} point={charted} />}
          <Identity device={device} />
          <Firmware device={device} />
          {!device.up && <Wiring driver={bus.driver} why={device.why ?? ''} />}
        </div>
      </div>
      <Trace bus={bus} />
    </Screen>
  );
}
