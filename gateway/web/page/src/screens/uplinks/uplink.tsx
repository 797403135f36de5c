/** One broker: how it goes, the way to it step by step, and what an outage would do. */
import { may } from '../../api/session';
import { useEffect, useState } from 'preact/hooks';
import { loadConfig, type Config } from '../../api/config';
import { status } from '../../api/status';
import { uplinkWord } from '../../api/uplink';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { t } from '../../lib/text';
import { Notice } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Screen } from '../../parts/screen';
import { State } from '../../parts/state';
import { uplinkLevel } from '../overview/uplink-card';
import { SettingsLink } from '../settings/settings';
import { Doctor } from './doctor';
import { Drill } from './drill';
import { Preview } from './preview';
import { UplinkFacts, UplinkTroubles } from './uplinks';

export function Uplink({ id }: { id: string }) {
  const now = useCell(status);
  const uplink = now?.uplinks.find((one) => one.id === id);
  const [config, setConfig] = useState<Config | null>(null);
  useEffect(() => void loadConfig().then(setConfig, () => {}), [now?.config.fingerprint]);
  const entry = config?.parsed.uplinks?.find((one) => one.id === id) as { layout?: string; root?: string; user?: string; tls?: { ca?: string; cert?: string } } | undefined;
  const above = <a href={link('uplinks')}>{t('nav.uplinks')}</a>;
  if (!now) return <Screen title={id} above={above}>{null}</Screen>;
  if (!uplink) return <Screen title={id} above={above}><Notice level="look" title={t('uplink.gone', { id })} next={t('uplink.gone.next')} /></Screen>;
  return (
    <Screen title={id} above={above} lead={uplink.url} aside={<><State level={uplinkLevel(uplink)} word={uplinkWord(uplink)} />{may('owner') && <SettingsLink kind="uplinks" id={id} />}</>}>
      <UplinkTroubles uplink={uplink} />
      <div class="columns">
        <Panel title={t('uplink.facts')}><UplinkFacts uplink={uplink} now={now} /></Panel>
        {may('owner') && <Doctor id={id} />}
        {may('owner') && <Drill uplink={uplink} />}
        {entry && <Preview id={id} url={uplink.url} layout={entry.layout ?? 'batch'} root={entry.root} user={entry.user} ca={entry.tls?.ca} cert={entry.tls?.cert} />}
      </div>
    </Screen>
  );
}
