/** A password that is chosen: what it has to be, and a look at it for those who cannot see what they type. */
import { useState } from 'preact/hooks';
import { t } from '../lib/text';
import { TextField } from './field';

const LENGTH_MIN = 10, LENGTH_MAX = 256;

interface NewPasswordProps {
  label: string;
  value: string;
  onText: (text: string) => void;
  tried?: boolean;
}

export function NewPassword(props: NewPasswordProps) {
  const [shown, setShown] = useState(false);
  const rule = t('form.password', { least: LENGTH_MIN });
  return (
    <>
      <TextField {...props} type={shown ? 'text' : 'password'} name="new-password" autocomplete="new-password" required minLength={LENGTH_MIN} maxLength={LENGTH_MAX}
        autocapitalize="none" spellcheck={false} hint={rule} title={rule} />
      <label class="check">
        <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
        {t('form.password.show')}
      </label>
    </>
  );
}
