/** For programs: a token in place of a name and a password. It is shown once. */
import { useEffect, useState } from 'preact/hooks';
import { get, post, remove } from '../../api/client';
import type { Role } from '../../api/types';
import { t } from '../../lib/text';
import { Choice, idField, TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { SureButton } from '../../parts/sure-button';
import { roleChoices } from './accounts';

interface Token {
  name: string;
  role: Role;
}

export function Tokens() {
  const [tokens, setTokens] = useState<readonly Token[] | null>(null);
  const [made, setMade] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const load = () => get<{ tokens: Token[] }>('/tokens').then((answer) => setTokens(answer.tokens), setError);
  useEffect(() => void load(), []);
  const add = async (event: Event): Promise<void> => {
    event.preventDefault();
    setError(null);
    try {
      setMade((await post<{ token: string }>('/tokens', { name, role })).token);
      setName('');
    } catch (refused) {
      setError(refused);
    }
    // Whatever became of it: where the answer was lost that is to be seen.
    await load();
  };
  const drop = (token: Token) => remove(`/tokens/${encodeURIComponent(token.name)}`).catch(setError).then(load);
  return (
    <Panel title={t('tokens.title')}>
      {tokens?.length === 0 && <p class="quiet-line">{t('tokens.none')}</p>}
      <ul class="entries">
        {tokens?.map((token) => (
          <li key={token.name}>
            <b>{token.name}</b>
            <span class="quiet-line">{t(`role.${token.role}`)}</span>
            <SureButton label={t('accounts.remove')} about={token.name} onSure={() => void drop(token)} />
          </li>
        ))}
      </ul>
      <div aria-live="polite">{made && <Notice level="up" title={t('tokens.made')} next={t('tokens.made.next')}><code class="token">{made}</code></Notice>}</div>
      <Problem error={error} />
      <details class="add">
        <summary>{t('tokens.add')}</summary>
        <form onSubmit={add}>
          <TextField label={t('tokens.name')} autocomplete="off" {...idField(40)} value={name} onText={setName} />
          <Choice label={t('accounts.role')} value={role} onChoice={setRole} choices={roleChoices()} />
          <div class="actions"><button class="button primary">{t('tokens.add')}</button></div>
        </form>
      </details>
    </Panel>
  );
}
