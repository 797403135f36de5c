/** How long ago, counted on while one looks. */
import { useCell } from '../lib/cell';
import { gatewayNow, second } from '../lib/clock';
import { dateTime, duration } from '../lib/format';
import { t } from '../lib/text';

export function Age({ t: at }: { t: number }) {
  useCell(second);
  if (!at) return <span class="age">{t('age.never')}</span>;
  return <time class="age" title={dateTime(at)}>{duration(gatewayNow() - at)}</time>;
}
