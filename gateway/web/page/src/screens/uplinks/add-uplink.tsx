/** A new broker: its address, who one is there, and the files of TLS. Shown before it is applied, and on trial then. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { loadConfig, type Config, type Edit } from '../../api/config';
import { keepSecret, secretOf } from '../../api/secrets';
import { status } from '../../api/status';
import type { UplinkStatus } from '../../api/types';
import { uplinkWord } from '../../api/uplink';
import { link } from '../../app/router';
import { useCell } from '../../lib/cell';
import { said, t } from '../../lib/text';
import { Choice, idField, TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { Review } from '../../parts/review';
import { Screen } from '../../parts/screen';
import { State } from '../../parts/state';
import { useTrial } from '../../parts/trial';
import { freeId } from '../add-device/draft';
import { uplinkLevel } from '../overview/uplink-card';
import { bring, settle, takeBack } from './brought';
import { FileDrop } from './file-drop';
import { Preview } from './preview';
import { RequestKey } from './request-key';
import { brokerAt } from './subscribe';

type Layout = 'batch' | 'values';
type Files = Record<'ca' | 'cert' | 'key', string | null>;

/** What topics begin with unless said otherwise. */
const ROOT = 'sluice';

interface Kept {
  files: { name: string; matches?: string[] }[];
}

/** Whether key and certificate belong together; null until that is known, or while one is missing. */
function useFits({ cert, key }: Files): boolean | null {
  const [fits, setFits] = useState<boolean | null>(null);
  useEffect(() => {
    let gone = false;
    setFits(null);
    if (cert && key)
      get<Kept>('/files').then(({ files }) => {
        if (!gone) setFits(!!files.find(({ name }) => name === key)?.matches?.includes(cert));
      }, () => {});
    return () => void (gone = true);
  }, [cert, key]);
  return fits;
}

/** What became of it once it is on trial. */
function Tried({ uplink, kept, children }: { uplink: UplinkStatus | undefined; kept: boolean; children: ComponentChildren }) {
  const online = uplink?.state === 'online', failed = !online && !!uplink?.error;
  return (
    <div role="status">
      <Notice level={online ? 'up' : failed ? 'down' : 'look'} title={t(kept ? 'add.kept' : online ? 'broker.done' : 'broker.waits')} why={failed ? said(uplink.error) : undefined}
        next={kept ? undefined : failed ? t('broker.failed.next') : online ? t('broker.done.next') : undefined}>
        {uplink && (kept || !online) && <p><State level={uplinkLevel(uplink)} word={uplinkWord(uplink)} /></p>}
        {children}
      </Notice>
    </div>
  );
}

export function AddUplink() {
  const [config, setConfig] = useState<Config | null>(null);
  const [url, setUrl] = useState('mqtts://');
  const [id, setId] = useState('cloud');
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [layout, setLayout] = useState<Layout>('batch');
  const [root, setRoot] = useState('');
  const [proxy, setProxy] = useState('');
  const [login, setLogin] = useState('');
  const [files, setFiles] = useState<Files>({ ca: null, cert: null, key: null });
  /** What was dropped and could not be taken, or not yet. */
  const [open, setOpen] = useState<readonly (keyof Files)[]>([]);
  /** The key was made here: its request stays to be seen. */
  const [made, setMade] = useState(false);
  const [reviewing, setReviewing] = useState(false);
  const [trial, begin] = useTrial();
  const [error, setError] = useState<unknown>(null);
  const tried = useCell(status)?.uplinks.find((one) => one.id === id), fits = useFits(files);
  // What was kept for a broker that does not come to be goes when one leaves; what is in use is not given up.
  const outcome = useRef(trial);
  outcome.current = trial;
  useEffect(() => () => {
    if (outcome.current === 'kept') settle();
    else if (outcome.current !== 'on trial') void takeBack();
  }, []);
  const taken = (config?.parsed.uplinks ?? []).map((uplink) => uplink.id);
  useEffect(() => void loadConfig().then(async (answer) => {
    if (!answer.pending) await takeBack(); // a change on trial may go back to what has them
    setConfig(answer);
    setId(freeId('cloud', (answer.parsed.uplinks ?? []).map((uplink) => uplink.id)));
  }, setError), []);

  const tls = url.startsWith('mqtts:'), sound = !!brokerAt(url.trim());
  const paired = !tls || (open.length ? false : files.cert || files.key ? fits === true : true);
  const keys = Object.entries(files).filter(([, name]) => name);
  const uplink = {
    id, url: url.trim(), ...(tls && keys.length && { tls: Object.fromEntries(keys) }), ...(user && { user }),
    ...(password && { password_file: secretOf(id) }), ...(root.trim() && { root: root.trim() }), layout,
    ...(proxy.trim() && { proxy: proxy.trim(), ...(login && { proxy_login_file: secretOf(`${id}-proxy`) }) }),
  };
  const edits: Edit[] = [{ at: ['uplinks'], add: uplink }];

  const review = async (event: Event): Promise<void> => {
    event.preventDefault();
    setError(null);
    try {
      // What is secret is in no configuration: only the name of its file.
      const secrets = [...(password ? [[secretOf(id), password]] : []), ...(proxy.trim() && login ? [[secretOf(`${id}-proxy`), login]] : [])] as [string, string][];
      for (const [name, secret] of secrets) {
        await keepSecret(name, secret);
        bring(name);
      }
      setReviewing(true);
    } catch (refused) {
      setError(refused);
    }
  };
  const kept = (which: keyof Files) => (name: string | null) => {
    if (name) bring(name);
    setFiles((known) => ({ ...known, [which]: name }));
  };
  const isOpen = (which: keyof Files) => (is: boolean) => setOpen((known) => [...known.filter((one) => one !== which), ...(is ? [which] : [])]);

  return (
    <Screen title={t('overview.nouplink.do')} above={<a href={link('uplinks')}>{t('nav.uplinks')}</a>} lead={t('add.lead')}>
      <form class="steps-list" onSubmit={review}>
        <Panel title={t('broker.where')}>
          <TextField label={t('broker.url')} hint={t('broker.url.hint')} required spellcheck={false} autocapitalize="none" value={url} onText={setUrl}
            wrong={url.length > 8 && !sound ? t('broker.url.wrong') : undefined} />
          <TextField label={t('first.gateway.id')} hint={t('broker.id.hint')} {...idField()}
            wrong={taken.includes(id) ? t('broker.id.taken') : undefined} value={id} onText={setId} />
        </Panel>
        {tls && (
          <Panel title={t('broker.tls')}>
            <p class="quiet-line">{t('broker.tls.what')}</p>
            <FileDrop label={t('broker.ca')} hint={t('broker.ca.hint')} name={files.ca} wanted={`${id}-ca.pem`} onKept={kept('ca')} onOpen={isOpen('ca')} />
            <FileDrop label={t('broker.cert')} hint={t('broker.cert.hint')} name={files.cert} wanted={`${id}.pem`} onKept={kept('cert')} onOpen={isOpen('cert')} twin={{ wanted: `${id}.key`, onKept: kept('key') }}
              wrong={files.cert && !files.key ? t('broker.cert.alone') : undefined} />
            <FileDrop label={t('broker.key')} hint={t('broker.key.hint')} name={files.key} wanted={`${id}.key`} onKept={kept('key')} onOpen={isOpen('key')} twin={{ wanted: `${id}.pem`, onKept: kept('cert') }}
              wrong={!files.cert ? t('broker.key.alone') : fits === false ? t('broker.key.wrong') : undefined} right={fits ? t('broker.key.fits') : undefined} />
            {config && (!files.key || made) && <RequestKey id={id} onMade={(name) => {
              setMade(true);
              settle(name);
              setFiles((known) => ({ ...known, key: name })); // it stays, for the certificate that comes later
            }} />}
          </Panel>
        )}
        {!tls && sound && <Notice level="look" title={t('broker.plain')} next={t('broker.plain.next')} />}
        <Panel title={t('broker.who')}>
          <TextField label={t('broker.user')} hint={t('broker.user.hint')} autocomplete="off" autocapitalize="none" spellcheck={false} value={user} onText={setUser} />
          <TextField label={t('login.password')} type="password" value={password} onText={setPassword} />
          <Choice label={t('broker.layout')} value={layout} onChoice={setLayout} choices={[['batch', t('broker.layout.batch')], ['values', t('broker.layout.values')]]} />
          <TextField label={t('option.root')} hint={t('broker.root.hint')} spellcheck={false} autocapitalize="none" placeholder={ROOT} value={root} onText={setRoot} />
          <TextField label={t('option.proxy')} hint={t('option.proxy.hint')} spellcheck={false} autocapitalize="none" value={proxy} onText={setProxy} />
          {proxy.trim() && <TextField label={t('settings.login')} type="password" value={login} onText={setLogin} />}
        </Panel>
        {sound && <Preview id={id} layout={layout} root={root.trim()} url={url.trim()} ca={files.ca} cert={files.cert} user={user} />}
        <Problem error={error} />
        <div class="actions"><button class="button primary" disabled={!sound || !paired || taken.includes(id)}>{t('add.review')}</button></div>
        {trial && trial !== 'back' && (
          <Tried uplink={tried} kept={trial === 'kept'}>
            <div class="actions"><a class="button" href={link('uplinks', id)}>{t('uplink.open', { uplink: id })}</a></div>
          </Tried>
        )}
      </form>
      {reviewing && <Review title={t('overview.nouplink.do')} edits={edits} onClose={() => setReviewing(false)} onDone={begin} />}
    </Screen>
  );
}
