/** "devices" is the list, "devices/ID" one of them, "devices/ID/settings" what the configuration says of it, "devices/+" a new one. */
import { may } from '../../api/session';
import type { ScreenArguments } from '../../app/screens';
import { AddDevice } from '../add-device/add-device';
import { Device } from '../device/device';
import { Settings } from '../settings/settings';
import { Devices } from './devices';

/** No id has that sign. */
const ADD = '+';

export function DevicesEntry({ rest }: ScreenArguments) {
  if (rest[0] === ADD) return may('owner') ? <AddDevice /> : <Devices />;
  if (rest[0] && rest[1] === 'settings' && may('owner')) return <Settings kind="devices" id={rest[0]} />;
  return rest.length ? <Device rest={rest} /> : <Devices />;
}
