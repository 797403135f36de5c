/** The gateway's ports, by what stands on the housing where that is known. */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { t } from '../../lib/text';
import { Panel } from '../../parts/panel';
import { State } from '../../parts/state';

export interface Port {
  /** What to write into the configuration: "board:RS485-1", or a path that stays the same when it is plugged in again. */
  port: string;
  path: string;
  adapter: string;
  vendor: string;
  product: string;
  serial: string;
  /** The program that has it open; "" where nobody is known to. */
  used_by: string;
}

/** "RS485-1" as on the housing, or the name of the device file. */
export const portLabel = (port: Port): string => port.port.startsWith('board:') ? port.port.slice(6) : port.path.replace('/dev/', '');

export const portAbout = (port: Port): string =>
  [...new Set([port.adapter || [port.vendor, port.product].filter(Boolean).join(' '), port.serial, port.port])].filter(Boolean).join(' · ');

export const loadPorts = (): Promise<Port[]> => get<Port[]>('/ports');

export function Ports() {
  const [ports, setPorts] = useState<readonly Port[] | null>(null);
  useEffect(() => void loadPorts().then(setPorts, () => {}), []);
  if (!ports) return null;
  return (
    <div class="ports">
      <Panel title={t('ports.title')}>
        {!ports.length && <p class="quiet-line">{t('ports.none')}</p>}
        <ul class="port-list">
          {ports.map((port) => (
            <li key={port.port}>
              <b>{portLabel(port)}</b>
              <span class="quiet-line">{portAbout(port)}</span>
              {port.used_by ? <State level="up" word={t('ports.used', { by: port.used_by })} /> : <State level="unknown" word={t('ports.free')} />}
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
