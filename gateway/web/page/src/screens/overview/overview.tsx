/** The whole gateway at a glance: one sentence, the flow from the sensors to the brokers, what wants care, the ledger. */
import { conditions, isUnset } from '../../api/conditions';
import { status } from '../../api/status';
import { useCell } from '../../lib/cell';
import { narrow } from '../../lib/narrow';
import { t } from '../../lib/text';
import { Screen } from '../../parts/screen';
import { Alarms } from './alarms';
import { Flow } from './flow';
import { Ledger } from './ledger';
import { Summary } from './summary';
import { Waiting } from './waiting';

export function Overview() {
  const now = useCell(status);
  const stacked = useCell(narrow);
  if (!now) return <Screen title={t('nav.overview')}><Waiting /></Screen>;
  const found = conditions(now), unset = isUnset(now);
  // On a phone what is wrong would be far below the picture.
  const first = stacked && found.length > 0;
  return (
    <Screen title={t('nav.overview')} lead={<Summary now={now} found={found} unset={unset} />}>
      {first && <div class="care-first"><Alarms found={found} unset={unset} /></div>}
      <Flow now={now} />
      <div class="columns">
        {!first && <Alarms found={found} unset={unset} />}
        <Ledger now={now} />
      </div>
    </Screen>
  );
}
