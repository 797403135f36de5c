/** "devices" is the list, "devices/ID" one of them. */
import type { ScreenArguments } from '../../app/screens';
import { Device } from '../device/device';
import { Devices } from './devices';

export function DevicesEntry({ rest }: ScreenArguments) {
  return rest.length ? <Device rest={rest} /> : <Devices />;
}
