/** A key that is made on the gateway and never leaves it, with the request for its certificate: to be signed elsewhere. */
import { useState } from 'preact/hooks';
import { post } from '../../api/client';
import { session } from '../../api/session';
import { t } from '../../lib/text';
import { TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { freeId } from '../add-device/draft';
import { Unlisted, useKept } from './kept';

interface Made {
  name: string;
  csr: string;
}

export function RequestKey({ id, onMade }: { id: string; onMade: (key: string) => void }) {
  const [subject, setSubject] = useState(() => `CN=${session.get()?.gateway.id ?? 'gateway'}`);
  const [made, setMade] = useState<Made | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { files, more } = useKept(error); // where the answer was lost a key of that name is there
  const waiting = files.filter((file) => file.name.endsWith('.key') && !file.used_by?.length);
  const make = async (): Promise<void> => {
    setError(null);
    try {
      const name = `${freeId(id, files.map((file) => file.name.replace(/\.key$/, '')))}.key`;
      const answer = await post<Made>('/files/csr', { name, subject });
      setMade(answer);
      onMade(answer.name);
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <details class="add">
      <summary>{t('csr.title')}</summary>
      {waiting.length > 0 && !made && (
        <div class="actions">{waiting.map(({ name }) => <button key={name} class="button small" type="button" onClick={() => onMade(name)}>{t('csr.use', { name })}</button>)}</div>
      )}
      <Unlisted more={more} />
      <p class="quiet-line">{t('csr.what')}</p>
      <TextField label={t('csr.subject')} hint={t('csr.subject.hint')} spellcheck={false} autocapitalize="none" value={subject} onText={setSubject} />
      <div class="actions"><button class="button" type="button" disabled={!!made} onClick={() => void make()}>{t('csr.do')}</button></div>
      <Problem error={error} />
      <div aria-live="polite">
        {made && (
          <Notice level="up" title={t('csr.made', { name: made.name })} next={t('csr.made.next')}>
            <div class="actions"><a class="button" href={`data:application/pkcs10;base64,${btoa(made.csr)}`} download={made.name.replace(/\.key$/, '.csr')}>{t('csr.save')}</a></div>
            <pre class="command" tabIndex={0}>{made.csr}</pre>
          </Notice>
        )}
      </div>
    </details>
  );
}
