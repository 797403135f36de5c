/** The gateway's ports, by what stands on the housing where that is known. */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { t } from '../../lib/text';
import { Panel } from '../../parts/panel';
import { State } from '../../parts/state';

export interface Port {
  /** "board:RS485-1", or the path that stays the same when it is plugged in again. */
  port: string;
  path?: string;
  label?: string;
  /** What the adapter says it is. */
  about?: string;
  /** The bus that has it. */
  bus?: string;
  /** Another program that has it. */
  holder?: string;
}

export function Ports() {
  const [ports, setPorts] = useState<readonly Port[] | null>(null);
  useEffect(() => void get<{ ports: Port[] }>('/ports').then((answer) => setPorts(answer.ports), () => {}), []);
  if (!ports) return null;
  return (
    <div class="ports">
      <Panel title={t('ports.title')}>
        {!ports.length && <p class="quiet-line">{t('ports.none')}</p>}
        <ul class="port-list">
          {ports.map((port) => (
            <li key={port.port}>
              <b>{port.label ?? port.port}</b>
              <span class="quiet-line">{[port.about, port.path ?? port.port].filter(Boolean).join(' · ')}</span>
              {port.bus ? <State level="up" word={t('ports.used', { bus: port.bus })} />
                : port.holder ? <State level="look" word={t('ports.held', { holder: port.holder })} />
                  : <State level="unknown" word={t('ports.free')} />}
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}
