/** The owner's name and password. There is no default one, so nobody else knows it. */
import { useState } from 'preact/hooks';
import { t } from '../../lib/text';
import { idField, TextField } from '../../parts/field';
import type { StepProps } from './first-run';

export const PASSWORD_LENGTH_MIN = 10;
export const PASSWORD_LENGTH_MAX = 256;

export function OwnerStep({ answers, change, tried }: StepProps) {
  const [shown, setShown] = useState(false);
  const rule = t('form.password', { least: PASSWORD_LENGTH_MIN });
  return (
    <>
      <h2>{t('first.owner')}</h2>
      <TextField label={t('login.name')} name="username" autocomplete="username"
        {...idField(40)} tried={tried} value={answers.name} onText={(name) => change({ name })} />
      <TextField label={t('login.password')} type={shown ? 'text' : 'password'} name="new-password" autocomplete="new-password"
        required minLength={PASSWORD_LENGTH_MIN} maxLength={PASSWORD_LENGTH_MAX}
        hint={rule} title={rule} tried={tried} value={answers.password} onText={(password) => change({ password })} />
      <label class="check">
        <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
        {t('form.password.show')}
      </label>
    </>
  );
}
