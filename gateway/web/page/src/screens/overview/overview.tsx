/** The whole gateway at a glance: one sentence, the flow from the sensors to the brokers, what wants care, the ledger. */
import { conditions } from '../../api/conditions';
import { status } from '../../api/status';
import { useCell } from '../../lib/cell';
import { t } from '../../lib/text';
import { Screen } from '../../parts/screen';
import { Alarms } from './alarms';
import { Flow } from './flow';
import { Ledger } from './ledger';
import { Summary } from './summary';
import { Waiting } from './waiting';

export function Overview() {
  const now = useCell(status);
  if (!now) return <Screen title={t('nav.overview')}><Waiting /></Screen>;
  const found = conditions(now);
  return (
    <Screen title={t('nav.overview')} lead={<Summary now={now} found={found} />}>
      <Flow now={now} />
      <div class="columns">
        <Alarms found={found} />
        <Ledger now={now} />
      </div>
    </Screen>
  );
}
