/** The settings of a line, a device or a broker as the configuration has them: changed key by key, shown, tried, kept. */
import { useEffect, useState } from 'preact/hooks';
import { ended, loadConfig, type Config, type Edit } from '../../api/config';
import { loadSchema, optionsOf, type Fields, type Schema } from '../../api/options';
import { go, link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { t, type TextKey } from '../../lib/text';
import { Notice, Problem } from '../../parts/notice';
import { OptionFields } from '../../parts/option-fields';
import { Panel } from '../../parts/panel';
import { Review } from '../../parts/review';
import { Screen } from '../../parts/screen';
import { Points } from './points';
import { specials } from './special';
import { Meanwhile, useTyped } from './typed';
import { editsOfForm, editsToRemove, usualKeys, type Listed } from './usual';

interface Asked {
  title: string;
  edits: readonly Edit[];
  /** Where one goes once it is on trial. */
  then: readonly string[];
}

export interface Known {
  config: Config;
  schema: Schema;
}

export function useKnown(): { known: Known | null; error: unknown } {
  const [known, setKnown] = useState<Known | null>(null);
  const [error, setError] = useState<unknown>(null);
  // Once more at the end of a trial, as what is in the file may be what was before.
  const end = useCell(ended);
  useEffect(() => void Promise.all([loadConfig(), loadSchema()]).then(([config, schema]) => setKnown({ config, schema }), setError), [end]);
  return { known, error };
}

/** The driver of a line, and of the line that a device is on. */
export function driverOf({ parsed }: Config, kind: Listed, entry: Fields): string {
  const bus = kind === 'devices' ? parsed.buses?.find((one) => one.id === entry.bus) : entry;
  return typeof bus?.driver === 'string' ? bus.driver : '';
}

function Entry({ kind, entry, known, ask }: { kind: Listed; entry: Fields; known: Known; ask: (asked: Asked) => void }) {
  const { config, schema } = known, id = String(entry.id);
  const driver = driverOf(config, kind, entry), options = optionsOf(schema, kind, driver);
  const typed = useTyped(entry, options), { fields, change } = typed;
  const edits = editsOfForm(kind, [kind, { id }], entry, fields, options, config.parsed);
  const on = kind === 'buses' ? (config.parsed.devices ?? []).filter((device) => device.bus === id).length : 0;
  return (
    <>
      <Panel title={t('settings.keys')}>
        <form onSubmit={(event) => {
          event.preventDefault();
          ask({ title: t('settings.title', { name: id }), edits, then: [kind, String(fields.id)] });
        }}>
          <OptionFields kind={kind} options={options} fields={fields} usual={usualKeys(kind, driver)} without={kind === 'buses' ? ['driver'] : []} special={specials(kind, id, config)} change={change} />
          <Meanwhile typed={typed} />
          {fields.id !== id && <p class="hint">{t(kind === 'buses' ? 'settings.id.bus' : 'settings.id')}</p>}
          <div class="actions"><button class="button primary" disabled={!edits.length}>{t('add.review')}</button></div>
        </form>
      </Panel>
      {kind === 'devices' && <Points device={entry} driver={driver} schema={schema} ask={(title, made) => ask({ title, edits: made, then: [kind, id, 'settings'] })} />}
      <Panel title={t('settings.remove')}>
        <p class="quiet-line">{t(`settings.remove.${kind}`)} {on > 0 && t('settings.remove.too', { n: on })}</p>
        <div class="actions">
          <button class="button danger" type="button" onClick={() => ask({ title: t('settings.remove.title', { name: id }), edits: editsToRemove(kind, id, config.parsed), then: [kind] })}>
            {t('accounts.remove')}
          </button>
        </div>
      </Panel>
    </>
  );
}

const names: Record<Listed, TextKey> = { buses: 'nav.buses', devices: 'nav.devices', uplinks: 'nav.uplinks' };

export function Settings({ kind, id }: { kind: Listed; id: string }) {
  const { known, error } = useKnown();
  const [asked, setAsked] = useState<Asked | null>(null);
  const entry = (known?.config.parsed[kind] as Fields[] | undefined)?.find((one) => one.id === id);
  const above = <><a href={link(kind)}>{t(names[kind])}</a> › <a href={link(kind, id)}>{id}</a></>;
  return (
    <Screen title={t('settings.title', { name: id })} above={above} lead={t('add.lead')}>
      <Problem error={error} />
      {known && !entry && <Notice level="look" title={t('settings.gone', { name: id })} next={t('settings.gone.next')} />}
      {known && entry && <div class="steps-list"><Entry key={id} kind={kind} entry={entry} known={known} ask={setAsked} /></div>}
      {asked && <Review title={asked.title} edits={asked.edits} onClose={() => setAsked(null)} onDone={() => {
        ended.set(null);
        go(...asked.then);
      }} />}
    </Screen>
  );
}

/** The way to it, beside the title of an entry's own screen. */
export function SettingsLink({ kind, id }: { kind: Listed; id: string }) {
  return <a class="button small" href={link(kind, id, 'settings')}>{t('settings.open')}</a>;
}
