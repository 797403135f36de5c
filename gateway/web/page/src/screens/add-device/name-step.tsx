/** Its name, id and interval; then the change is shown, and applied on trial. */
import { useState } from 'preact/hooks';
import type { Config } from '../../api/config';
import { noteWhenRead } from '../../api/displays';
import { link } from '../../app/router';
import { t } from '../../lib/text';
import { idField, TextField } from '../../parts/field';
import { Notice } from '../../parts/notice';
import { Review } from '../../parts/review';
import { useTrial } from '../../parts/trial';
import type { StepProps } from './add-device';
import { editsOf, freeId, idOf } from './draft';

export function NameStep({ draft, change, config, onAnother }: StepProps & { config: Config; onAnother: () => void }) {
  const [reviewing, setReviewing] = useState(false);
  const [done, setDone] = useState<string | null>(null);
  const [trial, begin] = useTrial();
  const taken = (config.parsed.devices ?? []).map((device) => device.id);
  const named = (name: string): void => change({ name, id: freeId(idOf(name), [...taken, ...(done ? [done] : [])]) });
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      setReviewing(true);
    }}>
      <TextField label={t('add.name.label')} hint={t('add.name.hint')} required value={draft.name ?? ''} onText={named} />
      <TextField label={t('first.gateway.id')} hint={t('add.id.hint')} {...idField()} value={draft.id ?? ''} onText={(id) => change({ id })} />
      <TextField label={t('add.every')} hint={t('add.every.hint')} pattern="[0-9]+([.,][0-9]+)? ?(ms|s|m|h|d)" title={t('add.every.hint')} spellcheck={false} autocapitalize="none" placeholder="5s" value={draft.every ?? ''} onText={(every) => change({ every })} />
      <div class="actions"><button class="button primary">{t('add.review')}</button></div>
      {done && !reviewing && trial !== 'back' && (
        <div role="status">
          <Notice level="up" title={t(trial === 'kept' ? 'add.kept' : 'add.done')} next={trial === 'kept' ? undefined : t('add.done.next')}>
            <div class="actions">
              <a class="button" href={link('devices', done)}>{t('add.open')}</a>
              <button class="button" type="button" onClick={onAnother}>{t('add.another')}</button>
            </div>
          </Notice>
        </div>
      )}
      {reviewing && <Review title={t('add.title')} edits={editsOf(draft, config)} warning={draft.doubt && t('test.doubt')} onClose={() => setReviewing(false)} onDone={() => {
        setDone(draft.id ?? null);
        begin();
        if (draft.id && draft.shown) void noteWhenRead(draft.id, draft.shown);
      }} />}
    </form>
  );
}
