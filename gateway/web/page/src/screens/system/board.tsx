/** The board under the gateway: its wiring, and what its lights mean. */
import { t } from '../../lib/text';
import { BoardDrawing, useBoard } from '../../parts/board';
import { Panel } from '../../parts/panel';

const states = ['steady', 'blink', 'off'] as const;

export function BoardPanel() {
  const board = useBoard();
  if (!board) return null;
  return (
    <Panel title={board.name}>
      <BoardDrawing board={board} />
      <dl class="facts">
        <div><dt>{t('board.power')}</dt><dd>{board.power}</dd></div>
        {board.serial.map((port) => <div key={port.label}><dt>{port.label}</dt><dd>{port.terminals}</dd></div>)}
      </dl>
      {board.leds.length > 0 && <h3 class="facts-head">{t('board.lights')}</h3>}
      <dl class="facts">
        {board.leds.map((led) => (
          <div key={led.label}>
            <dt>{led.label}</dt>
            <dd>{states.filter((state) => led.means[state]).map((state) => <p key={state}>{t(`board.${state}`)}: {led.means[state]}</p>)}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
