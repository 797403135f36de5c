/** Where it is connected: a line that is there already, a port by what stands on the housing, or an address. */
import { useEffect, useState } from 'preact/hooks';
import type { Config, ConfigBus } from '../../api/config';
import { t } from '../../lib/text';
import { Choice, TextField } from '../../parts/field';
import { loadPorts, portAbout, portLabel, type Port } from '../buses/ports';
import type { StepProps } from './add-device';
import type { Place } from './draft';

const LINES = ['9600 8N1', '9600 8E1', '19200 8N1', '19200 8E1', '38400 8N1', '115200 8N1', '4800 8E1', '2400 8E1'] as const;
const NETWORK = 'network';

const busPlace = (bus: ConfigBus): Place => ({ bus: bus.id, driver: bus.driver, on: bus.driver === 'modbus-tcp' ? bus.host ?? bus.id : bus.port ?? bus.id });

export function PlaceStep({ change, config }: StepProps & { config: Config }) {
  const [ports, setPorts] = useState<readonly Port[]>([]);
  const [chosen, setChosen] = useState('');
  const [line, setLine] = useState<string>(LINES[0]);
  const [host, setHost] = useState('');
  const buses = (config.parsed.buses ?? []).filter((bus) => bus.driver.startsWith('modbus'));
  const taken = buses.map((bus) => bus.port);
  const free = ports.filter((port) => !taken.includes(port.port) && !taken.includes(port.path));
  useEffect(() => void loadPorts().then(setPorts, () => {}), []);

  const choose = (key: string, settings = line, address = host): void => {
    setChosen(key);
    const bus = buses.find((one) => `bus/${one.id}` === key);
    if (bus) change({ place: busPlace(bus) });
    else if (key === NETWORK) change({ place: address.trim() ? { host: address.trim() } : undefined });
    else change({ place: key ? { port: key, line: settings } : undefined });
  };

  return (
    <>
      <Choice label={t('add.place.label')} value={chosen} onChoice={(key) => choose(key)} choices={[
        ['', t('add.place.choose')],
        ...buses.map((bus) => [`bus/${bus.id}`, t('add.place.bus', { bus: bus.id, on: bus.port ?? bus.host ?? '' })] as const),
        ...free.map((port) => [port.port, t('add.place.port', { port: portLabel(port), about: portAbout(port) })] as const),
        [NETWORK, t('add.place.network')],
      ]} />
      {chosen === NETWORK && <TextField label={t('add.host')} hint={t('add.host.hint')} spellcheck={false} autocapitalize="none" value={host} onText={(text) => {
        setHost(text);
        choose(NETWORK, line, text);
      }} />}
      {chosen && !chosen.startsWith('bus/') && chosen !== NETWORK && (
        <Choice label={t('add.line')} hint={t('add.line.hint')} value={line} choices={LINES.map((one) => [one, one] as const)} onChoice={(one) => {
          setLine(one);
          choose(chosen, one);
        }} />
      )}
    </>
  );
}
