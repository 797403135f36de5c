/** The gateway's ports, by what stands on the housing where that is known. */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { t } from '../../lib/text';
import { BoardDrawing, useBoard, type Board } from '../../parts/board';
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
  /** What stands beside it on the housing, and where the wires go. */
  label?: string;
  terminals?: string;
  /** Linux talks on it: it is no port for sensors. */
  console?: boolean;
}

/** "RS485-1" as on the housing, or the name of the device file. */
export const portLabel = (port: Port): string => port.port.startsWith('board:') ? port.port.slice(6) : port.path.replace('/dev/', '');

export const portAbout = (port: Port, board?: Board | null): string => {
  const terminals = board?.serial.find((one) => one.label === port.label)?.terminals ?? port.terminals;
  return [...new Set([port.adapter || [port.vendor, port.product].filter(Boolean).join(' '), port.serial, terminals, port.port])].filter(Boolean).join(' · ');
};

function Use({ port }: { port: Port }) {
  if (port.used_by) return <State level="up" word={t('ports.used', { by: port.used_by })} />;
  return <State level="unknown" word={t(port.console ? 'ports.console' : 'ports.free')} />;
}

export const loadPorts = (): Promise<Port[]> => get<Port[]>('/ports');

export function Ports() {
  const [ports, setPorts] = useState<readonly Port[] | null>(null);
  const board = useBoard();
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
              <span class="quiet-line">{portAbout(port, board)}</span>
              <Use port={port} />
            </li>
          ))}
        </ul>
        {board && (
          <details class="add">
            <summary>{t('board.wired')}</summary>
            <BoardDrawing board={board} />
          </details>
        )}
      </Panel>
    </div>
  );
}
