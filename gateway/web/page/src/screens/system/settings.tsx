/** What the configuration says of the gateway as a whole: its journal, its page, and what holds for all points. */
import { useState } from 'preact/hooks';
import type { Edit } from '../../api/config';
import { optionsOf, type Fields, type Kind } from '../../api/options';
import { link } from '../../app/router';
import { t } from '../../lib/text';
import { Problem } from '../../parts/notice';
import { OptionFields } from '../../parts/option-fields';
import { Panel } from '../../parts/panel';
import { Review } from '../../parts/review';
import { Screen } from '../../parts/screen';
import { useKnown, type Known } from '../settings/settings';
import { Meanwhile, useTyped } from '../settings/typed';
import { editsOfForm, usualKeys } from '../settings/usual';

type Part = Extract<Kind, 'gateway' | 'journal' | 'defaults' | 'web'>;
const parts: readonly Part[] = ['gateway', 'journal', 'defaults', 'web'];

function Form({ part, known, ask }: { part: Part; known: Known; ask: (edits: readonly Edit[]) => void }) {
  const entry = (known.config.parsed[part] ?? {}) as Fields, options = optionsOf(known.schema, part);
  const typed = useTyped(entry, options), { fields, change } = typed;
  const edits = editsOfForm(part, [part], entry, fields, options, known.config.parsed);
  return (
    <Panel title={t(`settings.part.${part}`)}>
      <form onSubmit={(event) => {
        event.preventDefault();
        ask(edits);
      }}>
        {/* The id is what everything hangs on: it is set at the beginning, or in the file. */}
        <OptionFields kind={part} options={options} fields={fields} usual={usualKeys(part)} without={part === 'gateway' ? ['id'] : []} change={change} />
        <Meanwhile typed={typed} />
        <div class="actions"><button class="button primary" disabled={!edits.length}>{t('add.review')}</button></div>
      </form>
    </Panel>
  );
}

export function SystemSettings() {
  const { known, error } = useKnown();
  const [asked, setAsked] = useState<readonly Edit[] | null>(null);
  return (
    <Screen title={t('settings.all')} above={<a href={link('system')}>{t('nav.system')}</a>} lead={t('add.lead')}>
      <Problem error={error} />
      {known && <div class="steps-list">{parts.map((part) => <Form key={part} part={part} known={known} ask={setAsked} />)}</div>}
      {asked && <Review title={t('settings.all')} edits={asked} onClose={() => setAsked(null)} />}
    </Screen>
  );
}
