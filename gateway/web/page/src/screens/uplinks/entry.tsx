/** "uplinks" is the list, "uplinks/ID" one of them, "uplinks/+" a new one. */
import { may } from '../../api/session';
import type { ScreenArguments } from '../../app/screens';
import { AddUplink } from './add-uplink';
import { Uplink } from './uplink';
import { Uplinks } from './uplinks';

/** No id has that sign. */
const ADD = '+';

export function UplinksEntry({ rest }: ScreenArguments) {
  if (rest[0] === ADD) return may('owner') ? <AddUplink /> : <Uplinks />;
  return rest[0] ? <Uplink id={rest[0]} /> : <Uplinks />;
}
