/** What a broker's state is called. */
import { t, told } from '../lib/text';
import type { UplinkStatus } from './types';

/** These sentences are about the broker's certificate as this gateway sees it: it was not the broker that refused. */
const DISTRUST = /^the (broker's )?certificate "/;

export function uplinkWord({ state, error }: Pick<UplinkStatus, 'state' | 'error'>): string {
  if (state === 'refused' && DISTRUST.test(error)) return t('uplink.distrusted');
  return told(`uplink.${state}`, state);
}
