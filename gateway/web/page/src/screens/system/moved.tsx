/** Was the machine replaced, or its card copied? Only a person knows; until that is said nothing is published. */
import { useState } from 'preact/hooks';
import { post } from '../../api/client';
import { may } from '../../api/session';
import { loadStatus } from '../../api/status';
import type { Status } from '../../api/types';
import { t } from '../../lib/text';
import { idField, TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { SureButton } from '../../parts/sure-button';

export function Moved({ now }: { now: Status }) {
  const [error, setError] = useState<unknown>(null);
  const [id, setId] = useState('');
  if (!now.identity) return null;
  const asked = now.identity.state === 'asked';
  const answer = (body: object) => post('/identity', body).then(() => {
    setError(null);
    return loadStatus();
  }, setError);
  return (
    <Panel title={t('moved.title')}>
      <Notice level="down" title={t(asked ? 'moved.asked' : 'moved.copied')} why={t('moved.held')} next={asked ? t('moved.next') : undefined} />
      <Problem error={error} />
      {may('owner') && asked && (
        <div class="actions"><SureButton label={t('moved.replaced')} about="" onSure={() => void answer({ answer: 'replaced' })} /></div>
      )}
      {may('owner') && (
        <form onSubmit={(event) => {
          event.preventDefault();
          void answer({ answer: 'copied', id });
        }}>
          <TextField label={t('moved.id')} hint={t('moved.id.hint')} value={id} onText={setId} {...idField()} />
          <div class="actions"><button class="button">{t('moved.copy')}</button></div>
        </form>
      )}
    </Panel>
  );
}
