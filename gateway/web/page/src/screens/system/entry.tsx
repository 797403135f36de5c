/** "system" is the gateway itself, "system/report" the commissioning report. */
import type { ScreenArguments } from '../../app/screens';
import { Report } from './report';
import { System } from './system';

export function SystemEntry({ rest }: ScreenArguments) {
  return rest[0] === 'report' ? <Report /> : <System />;
}
