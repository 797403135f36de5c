/** Holds the place of the picture until the first status has come, so that nothing jumps when it does. */
import { t } from '../../lib/text';

export function Waiting() {
  return <div class="flow flow-waiting" aria-busy="true"><span class="unseen">{t('overview.waiting')}</span></div>;
}
