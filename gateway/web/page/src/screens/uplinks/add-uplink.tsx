/** A new broker: its address, who one is there, and the files of TLS. Shown before it is applied, and on trial then. */
import { useEffect, useState } from 'preact/hooks';
import { ask } from '../../api/client';
import { loadConfig, type Config, type Edit } from '../../api/config';
import { link } from '../../app/router';
import { t } from '../../lib/text';
import { Choice, TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Review } from '../../parts/review';
import { Screen } from '../../parts/screen';
import { freeId, idOf } from '../add-device/draft';
import { FileDrop } from './file-drop';

type Layout = 'batch' | 'values';
type Files = Record<'ca' | 'cert' | 'key', string | null>;

const PLAIN = /^mqtts?:\/\/[^\s/]+$/;

/** The topics that one subscribes to in order to see it arrive. */
function subscribeCommand(url: string, gateway: string, layout: Layout): string {
  const { hostname, port, protocol } = new URL(url.replace(/^mqtts?/, (scheme) => (scheme === 'mqtts' ? 'https' : 'http')));
  const tls = protocol === 'https:';
  return `mosquitto_sub -h ${hostname} -p ${port || (tls ? 8883 : 1883)}${tls ? ' --cafile ca.pem' : ''} -v -t 'sluice/${gateway}/${layout === 'values' ? 'v/#' : 'data'}'`;
}

export function AddUplink() {
  const [config, setConfig] = useState<Config | null>(null);
  const [url, setUrl] = useState('mqtts://');
  const [id, setId] = useState('cloud');
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [layout, setLayout] = useState<Layout>('batch');
  const [files, setFiles] = useState<Files>({ ca: null, cert: null, key: null });
  const [reviewing, setReviewing] = useState(false);
  const [done, setDone] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const taken = (config?.parsed.uplinks ?? []).map((uplink) => uplink.id);
  useEffect(() => void loadConfig().then((answer) => {
    setConfig(answer);
    setId(freeId('cloud', (answer.parsed.uplinks ?? []).map((uplink) => uplink.id)));
  }, setError), []);

  const tls = url.startsWith('mqtts:'), sound = PLAIN.test(url.trim());
  const keys = Object.entries(files).filter(([, name]) => name);
  const uplink = {
    id, url: url.trim(), ...(tls && keys.length && { tls: Object.fromEntries(keys) }), ...(user && { user }),
    ...(password && { password_file: `${id}.password` }), layout,
  };
  const edits: Edit[] = [{ at: ['uplinks'], add: uplink }];

  const review = async (event: Event): Promise<void> => {
    event.preventDefault();
    setError(null);
    try {
      // The password is in no configuration: only the name of its file.
      if (password) await ask(`/files/${encodeURIComponent(`${id}.password`)}`, { method: 'PUT', body: password, headers: { 'Content-Type': 'application/octet-stream' } });
      setReviewing(true);
    } catch (refused) {
      setError(refused);
    }
  };
  const kept = (which: keyof Files) => (name: string | null) => setFiles((known) => ({ ...known, [which]: name }));

  return (
    <Screen title={t('overview.nouplink.do')} above={<a href={link('uplinks')}>{t('nav.uplinks')}</a>} lead={t('add.lead')}>
      <form class="steps-list" onSubmit={review}>
        <Panel title={t('broker.where')}>
          <TextField label={t('broker.url')} hint={t('broker.url.hint')} required spellcheck={false} autocapitalize="none" value={url} onText={setUrl}
            wrong={url.length > 8 && !sound ? t('broker.url.wrong') : undefined} />
          <TextField label={t('first.gateway.id')} hint={t('broker.id.hint')} required pattern="[a-z0-9_\-]{1,40}" title={t('form.id')} spellcheck={false} autocapitalize="none"
            wrong={taken.includes(id) ? t('broker.id.taken') : undefined} value={id} onText={(text) => setId(idOf(text) || text)} />
        </Panel>
        {tls && (
          <Panel title={t('broker.tls')}>
            <p class="quiet-line">{t('broker.tls.what')}</p>
            <FileDrop label={t('broker.ca')} hint={t('broker.ca.hint')} name={files.ca} wanted={`${id}-ca.pem`} onKept={kept('ca')} />
            <FileDrop label={t('broker.cert')} hint={t('broker.cert.hint')} name={files.cert} wanted={`${id}.pem`} onKept={kept('cert')} />
            <FileDrop label={t('broker.key')} hint={t('broker.key.hint')} name={files.key} wanted={`${id}.key`} onKept={kept('key')} />
          </Panel>
        )}
        {!tls && sound && <Notice level="look" title={t('broker.plain')} next={t('broker.plain.next')} />}
        <Panel title={t('broker.who')}>
          <TextField label={t('broker.user')} hint={t('broker.user.hint')} autocomplete="off" autocapitalize="none" spellcheck={false} value={user} onText={setUser} />
          <TextField label={t('login.password')} type="password" autocomplete="new-password" value={password} onText={setPassword} />
          <Choice label={t('broker.layout')} value={layout} onChoice={setLayout} choices={[['batch', t('broker.layout.batch')], ['values', t('broker.layout.values')]]} />
        </Panel>
        <Problem error={error} />
        <div class="actions"><button class="button primary" disabled={!sound || taken.includes(id)}>{t('add.review')}</button></div>
        {done && (
          <div role="status">
            <Notice level="up" title={t('broker.done')} next={t('broker.done.next')}>
              <pre class="command" tabIndex={0}>{subscribeCommand(url.trim(), config?.parsed.gateway?.id ?? '', layout)}</pre>
              <div class="actions"><a class="button" href={link('uplinks', id)}>{t('uplink.open', { uplink: id })}</a></div>
            </Notice>
          </div>
        )}
      </form>
      {reviewing && <Review title={t('overview.nouplink.do')} edits={edits} onClose={() => setReviewing(false)} onDone={() => setDone(true)} />}
    </Screen>
  );
}
