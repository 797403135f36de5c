/** Where it is connected: a line that is there already, a port by what stands on the housing, or an address. */
import { useEffect, useState } from 'preact/hooks';
import type { Config } from '../../api/config';
import { t } from '../../lib/text';
import { Choice, idField, TextField } from '../../parts/field';
import { loadPorts, portAbout, portLabel, type Port } from '../buses/ports';
import type { StepProps } from './add-device';
import { busAt, busPlace, newBusId, type Place, type SerialDriver } from './draft';

const LINES = ['9600 8N1', '9600 8E1', '19200 8N1', '19200 8E1', '38400 8N1', '115200 8N1', '4800 8E1', '2400 8E1', '4800 8N1', '2400 8N1', '1200 7E1', '9600 7E1', '300 7E1'] as const;
const DRIVERS: readonly SerialDriver[] = ['modbus-rtu', 'modbus-ascii', 'serial'];
const NETWORK = 'network', TYPED = 'typed';

export function PlaceStep({ draft, change, config }: StepProps & { config: Config }) {
  const [ports, setPorts] = useState<readonly Port[]>([]);
  const [chosen, setChosen] = useState(draft.place && 'bus' in draft.place ? `bus/${draft.place.bus}` : '');
  const [line, setLine] = useState<string>(LINES[0]);
  const [driver, setDriver] = useState<SerialDriver>('modbus-rtu');
  const [host, setHost] = useState('');
  const [path, setPath] = useState('');
  const buses = config.parsed.buses ?? [];
  const taken = buses.map((bus) => bus.port);
  const free = ports.filter((port) => !taken.includes(port.port) && !taken.includes(port.path));
  useEffect(() => void loadPorts().then(setPorts, () => {}), []);

  const put = (place: Place | undefined): void => change({ place, busId: place && !('bus' in place) ? newBusId(place, config) : undefined });
  const choose = (key: string, { settings = line, address = host, port = path, spoken = driver } = {}): void => {
    setChosen(key);
    const bus = key === NETWORK ? busAt(config, address) : buses.find((one) => `bus/${one.id}` === key);
    if (bus) put(busPlace(bus));
    else if (key === NETWORK) put(address.trim() ? { host: address.trim() } : undefined);
    else if (key === TYPED) put(port.trim() ? { port: port.trim(), line: settings, driver: spoken } : undefined);
    else put(key ? { port: key, line: settings, driver: spoken } : undefined);
  };
  const there = draft.place && 'bus' in draft.place ? draft.place : undefined;
  const fresh = !!chosen && !chosen.startsWith('bus/');

  return (
    <>
      <Choice label={t('add.place.label')} value={chosen} onChoice={(key) => choose(key)} choices={[
        ['', t('add.place.choose')],
        ...buses.map((bus) => [`bus/${bus.id}`, t('add.place.bus', { bus: bus.id, on: bus.port ?? bus.host ?? '' })] as const),
        ...free.map((port) => [port.port, t('add.place.port', { port: portLabel(port), about: portAbout(port) })] as const),
        [TYPED, t('add.place.typed')],
        [NETWORK, t('add.place.network')],
      ]} />
      {chosen === NETWORK && <TextField label={t('add.host')} hint={there ? t('add.place.bus', { bus: there.bus, on: there.on }) : t('add.host.hint')} spellcheck={false} autocapitalize="none" value={host} onText={(text) => {
        setHost(text);
        choose(NETWORK, { address: text });
      }} />}
      {chosen === TYPED && <TextField label={t('add.path')} hint={t('add.path.hint')} spellcheck={false} autocapitalize="none" value={path} onText={(text) => {
        setPath(text);
        choose(TYPED, { port: text });
      }} />}
      {fresh && chosen !== NETWORK && (
        <Choice label={t('add.driver')} hint={t('add.driver.hint')} value={driver} choices={DRIVERS.map((one) => [one, t(`driver.${one}`)] as const)} onChoice={(one) => {
          setDriver(one);
          choose(chosen, { spoken: one });
        }} />
      )}
      {fresh && chosen !== NETWORK && (
        <Choice label={t('add.line')} hint={t('add.line.hint')} value={draft.place && 'line' in draft.place ? draft.place.line : line} choices={LINES.map((one) => [one, one] as const)} onChoice={(one) => {
          setLine(one);
          choose(chosen, { settings: one });
        }} />
      )}
      {fresh && draft.place && !there && (
        <TextField label={t('add.bus')} hint={t('add.bus.hint')} {...idField()} value={draft.busId ?? ''}
          onText={(busId) => change({ busId })} />
      )}
    </>
  );
}
