/** Who may come in, and what they may do. */
import { useEffect, useState } from 'preact/hooks';
import { get, put, remove } from '../../api/client';
import { session } from '../../api/session';
import type { Role } from '../../api/types';
import { t } from '../../lib/text';
import { Choice, idField, TextField } from '../../parts/field';
import { NewPassword } from '../../parts/new-password';
import { Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { SureButton } from '../../parts/sure-button';

interface Account {
  name: string;
  role: Role;
}

export const roles: readonly Role[] = ['viewer', 'operator', 'owner'];
export const roleChoices = () => roles.map((role): [Role, string] => [role, t(`role.${role}.may`)]);

export function Accounts() {
  const [accounts, setAccounts] = useState<readonly Account[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [password, setPassword] = useState('');
  const own = session.get()?.account?.name;
  const load = () => get<{ accounts: Account[] }>('/accounts').then((answer) => setAccounts(answer.accounts), setError);
  useEffect(() => void load(), []);
  const act = async (action: Promise<unknown>): Promise<boolean> => {
    setError(null);
    const done = await action.then(() => true, setError);
    // Whatever became of it: where the answer was lost that is to be seen.
    await load();
    return !!done;
  };
  const add = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (await act(put(`/accounts/${encodeURIComponent(name)}`, { role, password }))) {
      setName('');
      setPassword('');
    }
  };
  return (
    <Panel title={t('accounts.title')}>
      <ul class="entries">
        {accounts.map((account) => (
          <li key={account.name}>
            <b>{account.name}</b>
            <span class="quiet-line">{t(`role.${account.role}`)}</span>
            {account.name === own ? <span class="quiet-line">{t('accounts.you')}</span>
              : <SureButton label={t('accounts.remove')} about={account.name} onSure={() => void act(remove(`/accounts/${encodeURIComponent(account.name)}`))} />}
          </li>
        ))}
      </ul>
      <Problem error={error} />
      <details class="add">
        <summary>{t('accounts.add')}</summary>
        <form onSubmit={add}>
          <TextField label={t('login.name')} autocomplete="off" {...idField(40)} value={name} onText={setName} />
          <Choice label={t('accounts.role')} value={role} onChoice={setRole} choices={roleChoices()} />
          <NewPassword label={t('login.password')} value={password} onText={setPassword} />
          <div class="actions"><button class="button primary">{t('accounts.add')}</button></div>
        </form>
      </details>
    </Panel>
  );
}
