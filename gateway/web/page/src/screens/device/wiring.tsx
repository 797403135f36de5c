/** What to look at, in the order in which it is usually the cause. */
import { t, type TextKey } from '../../lib/text';
import { BoardDrawing, useBoard } from '../../parts/board';
import { Panel } from '../../parts/panel';

const serial: readonly TextKey[] = ['wiring.power', 'wiring.polarity', 'wiring.settings', 'wiring.unit', 'wiring.ends', 'wiring.ground'];
const corrupt: readonly TextKey[] = ['wiring.ends', 'wiring.settings', 'wiring.ground', 'wiring.twice', 'wiring.length'];
const network: readonly TextKey[] = ['wiring.power', 'wiring.link', 'wiring.address', 'wiring.port', 'wiring.clients'];

/** An RS-485 line: two wires through every device, a resistor at either end. */
function Line() {
  return (
    <svg class="wiring-line" viewBox="0 0 360 96" role="img" aria-label={t('wiring.picture')}>
      <path d="M24 24h312M24 48h312" class="wiring-wire" />
      <path d="M24 24v24M336 24v24" class="wiring-wire" />
      <rect x="18" y="28" width="12" height="16" class="wiring-end" />
      <rect x="330" y="28" width="12" height="16" class="wiring-end" />
      {[72, 152, 232, 300].map((x) => (
        <g key={x}>
          <path d={`M${x - 6} 24v44M${x + 6} 48v20`} class="wiring-wire" />
          <circle cx={x - 6} cy="24" r="2.5" class="wiring-dot" />
          <circle cx={x + 6} cy="48" r="2.5" class="wiring-dot" />
          <rect x={x - 20} y="68" width="40" height="20" rx="3" class="wiring-box" />
        </g>
      ))}
      <text x="24" y="16" class="wiring-text">120 Ω</text>
      <text x="336" y="16" class="wiring-text" text-anchor="end">120 Ω</text>
      <text x="112" y="20" class="wiring-text">A</text>
      <text x="112" y="44" class="wiring-text">B</text>
    </svg>
  );
}

export function Wiring({ driver, why }: { driver: string; why: string }) {
  const wired = driver !== 'modbus-tcp';
  const board = useBoard();
  const steps = !wired ? network : why === 'corrupt reply' ? corrupt : serial;
  return (
    <Panel title={t('wiring.title')}>
      {driver === 'modbus-rtu' && <Line />}
      <ol class="wiring-steps">{steps.map((step) => <li key={step}>{t(step)}</li>)}</ol>
      {wired && board && (
        <details class="add">
          <summary>{t('board.wired')}</summary>
          <BoardDrawing board={board} />
        </details>
      )}
    </Panel>
  );
}
