/** A line and the devices on it: do they answer, and how full is it? */
import { rates, type BusSums } from '../../api/status';
import type { BusStatus } from '../../api/types';
import { link } from '../../app/router';
import { number, rate } from '../../lib/format';
import { t, told } from '../../lib/text';
import { State, type Level } from '../../parts/state';

export function busLevel(bus: BusStatus, sums: BusSums): Level {
  if (bus.error) return 'down';
  if (bus.lent) return 'paused';
  if (!bus.devices.length) return 'unknown';
  if (!sums.down) return 'up';
  return sums.up ? 'look' : 'down';
}

function word(bus: BusStatus, sums: BusSums): string {
  if (bus.error) return t('bus.stopped');
  if (bus.lent) return t('bus.lent');
  if (!bus.devices.length) return t('bus.empty');
  return t('bus.answer', { up: sums.up, of: sums.up + sums.down });
}

/** From here on a line has no air left for a device that answers late. */
const FULL_PERCENT = 85;

/** How much of each second the line is taken; the number stands above it. */
function Meter({ percent }: { percent: number }) {
  return (
    <svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="meter-whole" width="100" height="4" />
      <rect class={percent > FULL_PERCENT ? 'meter-part full' : 'meter-part'} width={Math.min(100, percent)} height="4" />
    </svg>
  );
}

export function BusCard({ bus, sums }: { bus: BusStatus; sums: BusSums }) {
  const replies = rates.of(`replies/${bus.id}`);
  // Over a network each device has a connection of its own: none of them takes anything of a line.
  const isLine = bus.driver !== 'modbus-tcp';
  return (
    <li class="flow-card">
      <h3><a class="cover" href={link('buses', bus.id)}>{bus.id}</a></h3>
      <span class="flow-kind">{told(`driver.${bus.driver}`, bus.driver)}</span>
      <State level={busLevel(bus, sums)} word={word(bus, sums)} />
      <span class="flow-numbers">
        <span class="flow-rate"><b>{replies === null ? t('value.none') : rate(replies)}</b> {t('unit.replies')}</span>
        {isLine && <span class="flow-rate"><b>{number(sums.percent, 0)}</b> {t('unit.busy')}</span>}
      </span>
      {isLine && <Meter percent={sums.percent} />}
    </li>
  );
}
