/** What of the list is shown. */
import { t } from '../../lib/text';
import { Choice, TextField } from '../../parts/field';

interface FilterProps {
  search: string;
  only: string;
  brief: boolean;
  change: (fields: Record<string, string>) => void;
}

export function Filter({ search, only, brief, change }: FilterProps) {
  return (
    <form class="filter" role="search" onSubmit={(event) => event.preventDefault()}>
      <TextField label={t('devices.search')} type="search" placeholder={t('devices.search.hint')} value={search} onText={(q) => change({ q })} />
      <Choice label={t('devices.only')} value={only} onChoice={(chosen) => change({ only: chosen })}
        choices={[['', t('devices.all')], ['look', t('devices.troubles')]]} />
      <label class="check">
        <input type="checkbox" checked={!brief} onChange={(event) => change({ brief: event.currentTarget.checked ? '' : '1' })} />
        {t('devices.values')}
      </label>
    </form>
  );
}
