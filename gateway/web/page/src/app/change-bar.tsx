/** A change that is on trial: how long it still has, and the two ways on. It is on every screen, for whoever looks. */
import { useEffect, useState } from 'preact/hooks';
import { ended, endedBy, followChanges, goBack, keep, pending, type Pending } from '../api/config';
import { may, session } from '../api/session';
import { useCell } from '../lib/cell';
import { gatewayNow, second } from '../lib/clock';
import { said, t } from '../lib/text';
import { Notice, Problem } from '../parts/notice';

/** "0:47" */
function left(until: number): string {
  const s = Math.max(0, Math.ceil((until - gatewayNow()) / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

function Trial({ change }: { change: Pending }) {
  useCell(second);
  const [error, setError] = useState<unknown>(null);
  const act = (action: () => Promise<unknown>): void => {
    setError(null);
    void action().catch(setError);
  };
  const waits = !!change.confirmed && !!change.why;
  return (
    <section class="change-bar" aria-label={t('change.label')}>
      <div class="change-words">
        <p><b role="status">{t('change.trial', { by: change.by })}</b> {t('change.back')} <span class="change-left" role="timer">{left(change.until)}</span></p>
        {waits && <p>{t('change.waits', { why: said(change.why!) })}</p>}
        <Problem error={error} />
      </div>
      {may('owner') && (
        <div class="actions">
          <button class="button primary" type="button" onClick={() => act(() => keep(change.change, waits))}>{t(waits ? 'change.anyway' : 'change.keep')}</button>
          <button class="button" type="button" onClick={() => act(() => goBack(change.change))}>{t('change.revert')}</button>
        </div>
      )}
    </section>
  );
}

export function ChangeBar() {
  const change = useCell(pending), how = useCell(ended), by = useCell(endedBy);
  const own = !by || by === session.get()?.account?.name;
  useEffect(followChanges, []);
  useEffect(() => {
    if (!how) return;
    const timer = setTimeout(() => ended.set(null), 8_000);
    return () => clearTimeout(timer);
  }, [how]);
  return (
    <div class="change">
      {change && <Trial change={change} />}
      {!change && how && <div role="status"><Notice level={how === 'kept' ? 'up' : 'look'} title={how === 'kept' ? t(own ? 'change.kept' : 'change.kept.by', { by }) : t(own ? 'change.went' : 'change.went.by', { by })} next={how === 'back' ? t('change.back.next') : undefined} /></div>}
    </div>
  );
}
