/** What the gateway gives away: all of it, all but who it is, or a report to print. And what brings it back. */
import { useState } from 'preact/hooks';
import { arrived, ask, post, Refusal, secret } from '../../api/client';
import { ended, loadConfig, type Mistake } from '../../api/config';
import { keepSecret } from '../../api/secrets';
import { t } from '../../lib/text';
import { TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Mistakes } from '../../parts/review';
import { settle } from '../uplinks/brought';
import { Needs, type Missing } from './needs';
import { restoreBody, type Restored } from './restore';

const READ_MS = 60_000;

/** Hands an answer to the browser as a file, under the name that the gateway gives it. */
function save(text: string, { headers }: Response): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: headers.get('Content-Type')! }));
  link.download = /filename="(.+)"/.exec(headers.get('Content-Disposition') ?? '')?.[1] ?? '';
  link.click();
  // Some browsers begin to read it only then.
  setTimeout(() => URL.revokeObjectURL(link.href), READ_MS);
}

export function Exports() {
  const [passphrase, setPassphrase] = useState('');
  const [restored, setRestored] = useState<Restored | null>(null);
  const [leftOut, setLeftOut] = useState('');
  const [checks, setChecks] = useState(false);
  const [missing, setMissing] = useState<Missing & { body: Record<string, unknown> } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const mistakes = error instanceof Refusal ? (error.fields.errors as Mistake[] | undefined) : undefined;
  const act = (action: () => Promise<void>) => {
    setError(null);
    void action().catch(setError);
  };
  const take = (path: string, options?: RequestInit) => act(async () => {
    const answer = await ask(path, options), text = await arrived(answer.text());
    setLeftOut((JSON.parse(text) as { left_out: string[] }).left_out.join(', '));
    save(text, answer);
  });
  const backup = () => take('/export/backup', { headers: secret(passphrase) });
  const template = () => take('/export/template?files=true');
  const restore = async (body: Record<string, unknown>): Promise<void> => {
    setRestored(null);
    setChecks(true);
    try {
      const answer = await post<Restored>('/restore', body);
      settle();
      setMissing(null);
      setRestored(answer);
    } catch (refused) {
      const missing = refused instanceof Refusal && (refused.fields as Partial<Missing>);
      setMissing(missing && missing.needs?.length ? { ...(missing as Missing), body } : null);
      throw refused;
    } finally {
      setChecks(false);
    }
    ended.set(null);
    // With the accounts of the backup one may not be known any more: then the login tells.
    await loadConfig().catch(() => {});
  };
  return (
    <Panel title={t('exports.title')}>
      <h3>{t('exports.backup')}</h3>
      <p class="quiet-line">{t('exports.backup.what')}</p>
      <TextField label={t('exports.passphrase')} type="password" hint={t('exports.passphrase.hint')} value={passphrase} onText={setPassphrase} />
      <div class="actions">
        <button class="button" type="button" onClick={backup}>{t('exports.backup.do')}</button>
        <label class="button">
          {t('exports.restore')}
          <input class="unseen" type="file" onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file) act(async () => restore(restoreBody(await file.text(), passphrase)));
            event.currentTarget.value = ''; // the same file once more, with another passphrase
          }} />
        </label>
      </div>
      {mistakes ? <Mistakes errors={mistakes} /> : <Problem error={error} />}
      {missing && <Needs {...missing} onGiven={(passwords) => act(async () => {
        for (const [name, password] of passwords) await keepSecret(name, password);
        await restore(missing.body);
      })} />}
      <div aria-live="polite">
        {checks && <p class="quiet-line">{t('review.checks')}</p>}
        {leftOut && <Notice level="look" title={t('exports.left_out', { files: leftOut })} />}
        {restored && <Notice level="up" title={t(restored.change ? 'exports.restored' : 'exports.restored.same')}
          why={restored.secrets_left_out ? t('exports.restored.secrets') : undefined} next={restored.change ? t('exports.restored.next') : undefined} />}
      </div>
      <h3 class="entries-head">{t('exports.template')}</h3>
      <p class="quiet-line">{t('exports.template.what')}</p>
      <div class="actions"><button class="button" type="button" onClick={template}>{t('exports.template.do')}</button></div>
    </Panel>
  );
}
