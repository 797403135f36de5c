/**
 * A new device in a few steps: where it is connected, what answers there, what it is (from the library, by hand or from
 * a table), a test read, its name. Nothing is changed before the end.
 */
import { useEffect, useState } from 'preact/hooks';
import { loadConfig, type Config } from '../../api/config';
import { link, usePlace } from '../../app/router';
import { t, type TextKey } from '../../lib/text';
import { Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Screen } from '../../parts/screen';
import { Assign } from './assign';
import { alike, freeUnit, isModbus, isPolled, ofAnyModel, placeOn, type Draft } from './draft';
import { Explorer } from './explorer';
import { Library } from './library';
import { NameStep } from './name-step';
import { PlaceStep } from './place-step';
import { SaveProfile } from './save-profile';
import { Scan } from './scan';
import { Table } from './table';
import { TestRead } from './test-read';

type Way = 'scan' | 'library' | 'hand' | 'table';
const ways: readonly (readonly [Way, TextKey, TextKey])[] = [
  ['scan', 'add.scan', 'add.scan.what'], ['library', 'add.library', 'add.library.what'],
  ['hand', 'add.hand', 'add.hand.what'], ['table', 'add.table', 'add.table.what'],
];

export interface StepProps {
  draft: Draft;
  change: (some: Partial<Draft>) => void;
}

const numbered = (n: number, title: TextKey): string => `${n} · ${t(title)}`;

function Ways({ way, choose, only }: { way: Way | null; choose: (way: Way) => void; only?: Way }) {
  return (
    <div class="ways" role="group" aria-label={t('add.how')}>
      {ways.filter(([key]) => !only || key === only).map(([key, name, what]) => (
        <button key={key} type="button" class="way" aria-pressed={key === way} onClick={() => choose(key)}>
          <b>{t(name)}</b>
          <span>{t(what)}</span>
        </button>
      ))}
    </div>
  );
}

export function AddDevice() {
  const [config, setConfig] = useState<Config | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [draft, setDraft] = useState<Draft>({ unit: 1 });
  const [way, setWay] = useState<Way | null>(null);
  const like = usePlace().query.get('like');
  useEffect(() => void loadConfig().then((answer) => {
    const model = answer.parsed.devices?.find((device) => device.id === like);
    if (model) setDraft(alike(model, answer));
    if (model?.profile) setWay('library');
    setConfig(answer);
  }, setError), []);
  const change = (some: Partial<Draft>) => {
    // Who answers elsewhere is asked when somebody wants that: not with each letter of an address.
    if ('place' in some) setWay((chosen) => (chosen === 'scan' ? null : chosen));
    setDraft((known) => ({ ...known, ...(some.profile && some.profile !== known.profile && { like: ofAnyModel(known.like) }), ...some }));
  };
  const step = { draft, change };
  const known = !!draft.profile || !!draft.points?.length;
  const asked = !draft.place || isModbus(draft.place), shown = asked ? way : 'library';
  return (
    <Screen title={t('add.title')} above={<a href={link('devices')}>{t('nav.devices')}</a>} lead={t('add.lead')}>
      <Problem error={error} />
      {config && (
        <div class="steps-list">
          <Panel title={numbered(1, 'add.place')}><PlaceStep {...step} config={config} /></Panel>
          {draft.place && (
            <Panel title={numbered(2, 'add.how')}>
              <Ways way={shown} choose={setWay} only={asked ? undefined : 'library'} />
              {asked && isPolled(config, draft.place) && <p class="hint">{t('scan.lends')}</p>}
              {shown === 'scan' && <Scan {...step} config={config} onFound={() => setWay('library')} />}
              {shown === 'library' && <Library {...step} />}
              {draft.like && !draft.profile && <p class="hint">{t('add.like', { n: draft.points?.length ?? 0 })}</p>}
              {shown === 'hand' && <Explorer key={placeOn(draft.place)} {...step} />}
              {shown === 'table' && <Table {...step} />}
              {asked && !draft.profile && !!draft.points?.length && <SaveProfile {...step} />}
            </Panel>
          )}
          {draft.place && asked && draft.profile && (
            <Panel title={numbered(3, 'add.test')}>
              <TestRead {...step} config={config} />
              <Assign {...step} config={config} />
            </Panel>
          )}
          {draft.place && known && <Panel title={numbered(draft.profile && asked ? 4 : 3, 'add.name')}><NameStep {...step} config={config} onAnother={() => void loadConfig().then((answer) => {
            const made = answer.parsed.devices?.find((device) => device.id === draft.id);
            setConfig(answer);
            setDraft(made ? alike(made, answer) : { ...draft, id: undefined, name: undefined, unit: freeUnit(answer, draft.place, draft.unit + 1) });
          }, setError)} /></Panel>}
        </div>
      )}
    </Screen>
  );
}
