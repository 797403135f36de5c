/** How many things want to be looked at, beside the way to them. */
import { status } from '../api/status';
import { conditions } from '../api/conditions';
import { useCell } from '../lib/cell';
import { t } from '../lib/text';

export function Troubles() {
  const now = useCell(status);
  const count = now ? conditions(now).length : 0;
  if (!count) return null;
  return (
    <span class="badge">
      {count}
      <span class="unseen">{t('nav.troubles', { n: count })}</span>
    </span>
  );
}
