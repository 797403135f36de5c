/** "buses" is the list, "buses/ID" one line, "buses/ID/settings" what the configuration says of it. */
import { may } from '../../api/session';
import type { ScreenArguments } from '../../app/screens';
import { Bus } from './bus';
import { Settings } from '../settings/settings';
import { Buses } from './buses';

export function BusesEntry({ rest }: ScreenArguments) {
  if (rest[0] && rest[1] === 'settings' && may('owner')) return <Settings kind="buses" id={rest[0]} />;
  return rest[0] ? <Bus id={rest[0]} /> : <Buses />;
}
