/** "system" is the gateway itself, "system/settings" what the configuration says of it, "system/report" the commissioning report. */
import { may } from '../../api/session';
import type { ScreenArguments } from '../../app/screens';
import { Report } from './report';
import { SystemSettings } from './settings';
import { System } from './system';

export function SystemEntry({ rest }: ScreenArguments) {
  if (rest[0] === 'settings' && may('owner')) return <SystemSettings />;
  return rest[0] === 'report' ? <Report /> : <System />;
}
