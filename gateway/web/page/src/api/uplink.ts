/** What a broker's state is called. */
import { told } from '../lib/text';
import type { UplinkStatus } from './types';

/** "refused" is all that needs somebody to do something: what it is about says its cause. */
export function uplinkWord({ state, cause }: Pick<UplinkStatus, 'state' | 'cause'>): string {
  const word = told(`uplink.${state}`, state);
  return state === 'refused' || state === 'waiting' ? told(`uplink.cause.${cause}`, word) : word;
}
