/** "buses" is the list, "buses/ID" one line. */
import type { ScreenArguments } from '../../app/screens';
import { Bus } from './bus';
import { Buses } from './buses';

export function BusesEntry({ rest }: ScreenArguments) {
  return rest[0] ? <Bus id={rest[0]} /> : <Buses />;
}
