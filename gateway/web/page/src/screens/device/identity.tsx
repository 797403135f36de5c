/** Who the device says it is, and what it is taken for. */
import type { DeviceStatus } from '../../api/types';
import { t, told } from '../../lib/text';
import { Notice } from '../../parts/notice';
import { Panel } from '../../parts/panel';

export function Identity({ device }: { device: DeviceStatus }) {
  const known = Object.entries(device.learnt.identity ?? {});
  return (
    <Panel title={t('identity.title')}>
      <dl class="facts">
        <div><dt>{t('identity.profile')}</dt><dd>{device.profile || t('identity.byhand')}</dd></div>
        {known.map(([key, value]) => <div key={key}><dt>{told(`identity.${key}`, key)}</dt><dd>{value}</dd></div>)}
      </dl>
      {!known.length && <p class="hint">{t('identity.none')}</p>}
      {device.unverified && <Notice level="look" title={t('identity.unverified')} next={t('identity.unverified.next')} />}
    </Panel>
  );
}
