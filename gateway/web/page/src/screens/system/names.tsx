/** Its name, which may change, and its id, which does not. */
import { useState } from 'preact/hooks';
import type { Config, Edit } from '../../api/config';
import { may, session } from '../../api/session';
import { t } from '../../lib/text';
import { TextField } from '../../parts/field';
import { Review } from '../../parts/review';

export function Names({ config }: { config: Config }) {
  const gateway = config.parsed.gateway ?? {};
  const [name, setName] = useState(gateway.name ?? '');
  const [zone, setZone] = useState(gateway.timezone ?? '');
  const [reviewing, setReviewing] = useState(false);
  const id = gateway.id ?? session.get()?.gateway.id ?? '';
  const wishes: [string, string, string][] = [['name', gateway.name ?? '', name], ['timezone', gateway.timezone ?? '', zone]];
  const edits: Edit[] = wishes.filter(([, before, after]) => before !== after)
    .map(([key, , after]) => (after ? { at: ['gateway', key], set: after } : { at: ['gateway', key], remove: true }));
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      if (edits.length) setReviewing(true);
    }}>
      <dl class="facts"><div><dt>{t('first.gateway.id')}</dt><dd><code>{id}</code></dd></div></dl>
      {may('owner') ? (
        <>
          <TextField label={t('first.gateway.name')} hint={t('first.gateway.name.hint')} value={name} onText={setName} />
          <TextField label={t('system.zone')} hint={t('system.zone.hint')} value={zone} onText={setZone} />
          <div class="actions"><button class="button" disabled={!edits.length}>{t('system.change')}</button></div>
        </>
      ) : <p>{gateway.name}</p>}
      {reviewing && <Review title={t('system.names')} edits={edits} onClose={() => setReviewing(false)} />}
    </form>
  );
}
