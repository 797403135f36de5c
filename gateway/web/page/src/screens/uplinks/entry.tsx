/** "uplinks" is the list, "uplinks/ID" one of them, "uplinks/ID/settings" what the configuration says of it, "uplinks/+" a new one. */
import { may } from '../../api/session';
import type { ScreenArguments } from '../../app/screens';
import { Settings } from '../settings/settings';
import { AddUplink } from './add-uplink';
import { Uplink } from './uplink';
import { Uplinks } from './uplinks';

/** No id has that sign. */
const ADD = '+';

export function UplinksEntry({ rest }: ScreenArguments) {
  if (rest[0] === ADD) return may('owner') ? <AddUplink /> : <Uplinks />;
  if (rest[0] && rest[1] === 'settings' && may('owner')) return <Settings kind="uplinks" id={rest[0]} />;
  return rest[0] ? <Uplink id={rest[0]} /> : <Uplinks />;
}
