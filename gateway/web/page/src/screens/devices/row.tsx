/** One line of the list: a device with its state, or a point with its value. */
import { useEffect } from 'preact/hooks';
import { notGood } from '../../api/status';
import { followTrails, TRAIL, trailOf } from '../../api/trails';
import type { Point } from '../../api/types';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { t, told } from '../../lib/text';
import { Sparkline } from '../../parts/sparkline';
import { State, type Level } from '../../parts/state';
import { Value } from '../../parts/value';
import type { Row } from './rows';

export function deviceWord({ device, bus }: Row): string {
  const bad = notGood(device);
  if (device.up) return bad ? t('devices.bad', { bad, of: device.points }) : t('state.up');
  if (bus.lent) return t('bus.lent');
  return device.why ? told(`why.${device.why}`, device.why) : t('devices.waiting');
}

export function deviceLevel({ device, bus }: Row): Level {
  if (device.up) return notGood(device) ? 'look' : 'up';
  if (bus.lent) return 'paused';
  return device.why ? 'down' : 'unknown';
}

interface RowProps {
  row: Row;
  index: number;
  /** Where it stands in the list, px. */
  top: number;
}

export function DeviceRow({ row, index, top }: RowProps) {
  const { device, bus } = row;
  return (
    <div class="device-row" role="row" aria-rowindex={index + 1} style={{ top: `${top}px` }}>
      <span role="rowheader" class="device-name">
        <a href={link('devices', device.id)}>{device.name || device.id}</a>
        {device.name && device.name !== device.id && <small>{device.id}</small>}
      </span>
      <span role="cell" class="device-bus">{bus.id}</span>
      <span role="cell" class="device-state"><State level={deviceLevel(row)} word={deviceWord(row)} /></span>
    </div>
  );
}

function Trail({ id }: { id: string }) {
  useEffect(followOnce, []);
  return <Sparkline values={useCell(trailOf(id))} room={TRAIL} width={96} height={20} />;
}

let followers = 0;
let unfollow: () => void = () => {};

/** However many trails are in view, what is heard is added once. */
function followOnce(): () => void {
  if (followers++ === 0) unfollow = followTrails();
  return () => {
    if (--followers === 0) unfollow();
  };
}

export function PointRow({ row, point, index, top }: RowProps & { point: Point }) {
  return (
    <div class={row.last ? 'point-row last' : 'point-row'} role="row" aria-rowindex={index + 1} style={{ top: `${top}px` }}>
      <span role="rowheader" class="point-name">{point.name || point.p}</span>
      <span role="cell" class="point-trail"><Trail id={row.key} /></span>
      <span role="cell" class="point-value"><Value point={point} id={row.key} /></span>
    </div>
  );
}
