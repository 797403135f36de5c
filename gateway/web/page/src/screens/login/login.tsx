/** Who is it? */
import { useRef, useState } from 'preact/hooks';
import { login } from '../../api/session';
import type { Session } from '../../api/types';
import { t } from '../../lib/text';
import { Door } from '../../parts/door';
import { TextField } from '../../parts/field';
import { Problem } from '../../parts/notice';

export function Login({ session }: { session: Session }) {
  const [name, setName] = useState('owner');
  const [password, setPassword] = useState('');
  const [error, setError] = useState<unknown>(null);
  const field = useRef<HTMLFormElement>(null);

  const enter = async (event: Event) => {
    event.preventDefault();
    setError(null);
    try {
      await login(name.trim(), password);
    } catch (refused) {
      setError(refused);
      field.current?.querySelector<HTMLInputElement>('input[type=password]')?.select();
    }
  };

  return (
    <Door title={session.gateway.name || session.gateway.id} lead={t('login.lead', { id: session.gateway.id })}>
      <form onSubmit={enter} ref={field}>
        <TextField label={t('login.name')} name="username" autocomplete="username" autocapitalize="none" spellcheck={false}
          required value={name} onText={setName} />
        <TextField label={t('login.password')} type="password" name="password" autocomplete="current-password"
          required value={password} onText={setPassword} />
        <Problem error={error} />
        <button class="button primary wide">{t('login.enter')}</button>
        <p class="hint">{t('login.lost')} <code>sluice password owner</code></p>
      </form>
    </Door>
  );
}
