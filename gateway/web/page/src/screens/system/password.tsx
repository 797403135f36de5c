/** One's own password. */
import { useState } from 'preact/hooks';
import { post } from '../../api/client';
import { t } from '../../lib/text';
import { TextField } from '../../parts/field';
import { NewPassword } from '../../parts/new-password';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';

export function Password() {
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const [done, setDone] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const change = async (event: Event): Promise<void> => {
    event.preventDefault();
    setError(null);
    try {
      await post('/password', { old, new: fresh });
      setDone(true);
      setOld('');
      setFresh('');
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <Panel title={t('system.password')}>
      <form onSubmit={change}>
        <TextField label={t('system.password.old')} type="password" autocomplete="current-password" required value={old} onText={setOld} />
        <NewPassword label={t('system.password.new')} value={fresh} onText={setFresh} />
        <div aria-live="polite">{done && <Notice level="up" title={t('system.password.done')} />}</div>
        <Problem error={error} />
        <div class="actions"><button class="button">{t('system.password.change')}</button></div>
      </form>
    </Panel>
  );
}
