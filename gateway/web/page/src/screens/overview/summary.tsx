/** How the gateway is, in one sentence. */
import type { Condition } from '../../api/conditions';
import { rates } from '../../api/status';
import type { Status } from '../../api/types';
import { rate } from '../../lib/format';
import { t } from '../../lib/text';
import { Shape } from '../../parts/state';

function flows(now: Status): string {
  const devices = now.buses.reduce((count, bus) => count + bus.devices.length, 0);
  const perSecond = rates.of('stored');
  return [
    t('overview.devices', { n: devices }), t('overview.lines', { n: now.buses.length }),
    t('overview.rate', { rate: perSecond === null ? t('value.none') : rate(perSecond) }),
  ].join(' · ');
}

export function Summary({ now, found, unset }: { now: Status; found: readonly Condition[]; unset: boolean }) {
  const worst = found[0]?.level ?? (unset ? 'unknown' : 'up');
  return (
    <span class="summary">
      <Shape level={worst} />
      <span class="summary-words">
        <b>{found.length ? t('overview.troubles', { n: found.length }) : t(unset ? 'overview.unset' : 'overview.well')}</b>{' '}
        <span class="summary-flows">{flows(now)}</span>
      </span>
    </span>
  );
}
