/** The owner's name and password. There is no default one, so nobody else knows it. */
import { t } from '../../lib/text';
import { idField, TextField } from '../../parts/field';
import { NewPassword } from '../../parts/new-password';
import type { StepProps } from './first-run';

export function OwnerStep({ answers, change, tried }: StepProps) {
  return (
    <>
      <h2>{t('first.owner')}</h2>
      <TextField label={t('login.name')} name="username" autocomplete="username"
        {...idField(40)} tried={tried} value={answers.name} onText={(name) => change({ name })} />
      <NewPassword label={t('login.password')} tried={tried} value={answers.password} onText={(password) => change({ password })} />
    </>
  );
}
