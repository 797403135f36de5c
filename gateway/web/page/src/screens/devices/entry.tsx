/** "devices" is the list, "devices/ID" one of them, "devices/+" a new one. */
import { may } from '../../api/session';
import type { ScreenArguments } from '../../app/screens';
import { AddDevice } from '../add-device/add-device';
import { Device } from '../device/device';
import { Devices } from './devices';

/** No id has that sign. */
const ADD = '+';

export function DevicesEntry({ rest }: ScreenArguments) {
  if (rest[0] === ADD) return may('owner') ? <AddDevice /> : <Devices />;
  return rest.length ? <Device rest={rest} /> : <Devices />;
}
