/** The machine's addresses: how it is connected, and, where its system lets the gateway, changing that. */
import { useEffect, useState } from 'preact/hooks';
import { get, post, put, remove } from '../../api/client';
import { may } from '../../api/session';
import { useCell } from '../../lib/cell';
import { gatewayNow, second } from '../../lib/clock';
import { duration } from '../../lib/format';
import { said, t } from '../../lib/text';
import { Choice, TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { State } from '../../parts/state';
import { SureButton } from '../../parts/sure-button';

type Kind = 'ethernet' | 'wifi' | 'mobile';

export interface Interface {
  name: string;
  kind: Kind | 'other';
  up: boolean;
  addresses: string[];
}

export interface Network {
  by: string;
  interfaces: Interface[];
  router: string | null;
  dns: string[];
}

interface Wanted {
  name: string;
  method: 'dhcp' | 'static';
  address?: string;
  router?: string;
  dns: string[];
  ntp: string[];
  ssid?: string;
  passphrase_set?: boolean;
  apn?: string;
  pin_set?: boolean;
}

interface Settings {
  by: string;
  can: Record<Kind, boolean>;
  why_not: string;
  interfaces: Wanted[];
  pending: { until: number; by: string } | null;
  why: string;
}

const AGAIN_MS = 5_000;
const words = (list: string): string[] => list.split(/[\s,]+/).filter(Boolean);

/** A text that was typed, or nothing where it is empty. */
const typed = (text: string): string | undefined => text.trim() || undefined;

interface FormProps {
  of: Interface;
  was?: Wanted;
  ntp: boolean;
  onDone: (settings: Settings) => void;
}

function Form({ of, was, ntp, onDone }: FormProps) {
  const [method, setMethod] = useState<Wanted['method']>(was?.method ?? 'dhcp');
  const [text, setText] = useState({ address: was?.address ?? '', router: was?.router ?? '', dns: was?.dns.join(', ') ?? '', ntp: was?.ntp.join(', ') ?? '', ssid: was?.ssid ?? '', apn: was?.apn ?? '', secret: '' });
  const [error, setError] = useState<unknown>(null);
  const field = (key: keyof typeof text) => ({ value: text[key], onText: (value: string) => setText({ ...text, [key]: value }), autocomplete: 'off', autocapitalize: 'none', spellcheck: false });
  const secret = { type: 'password', ...field('secret'), autocomplete: undefined } as const;
  const path = `/network/${encodeURIComponent(of.name)}`;
  const send = (asked: Promise<Settings>): void => {
    setError(null);
    void asked.then(onDone, setError);
  };
  const set = (event: Event): void => {
    event.preventDefault();
    const own = method === 'static' ? { address: text.address.trim(), router: typed(text.router) } : {};
    const radio = of.kind === 'wifi' ? { ssid: text.ssid, passphrase: typed(text.secret) } : of.kind === 'mobile' ? { apn: text.apn.trim(), pin: typed(text.secret) } : {};
    send(put<Settings>(path, { method, ...own, dns: words(text.dns), ntp: ntp ? words(text.ntp) : undefined, ...radio }));
  };
  return (
    <form onSubmit={set}>
      {of.kind === 'wifi' && <TextField label={t('network.ssid')} required maxLength={32} {...field('ssid')} />}
      {of.kind === 'wifi' && <TextField label={t('network.passphrase')} hint={was?.passphrase_set ? t('network.secret.kept') : undefined} {...secret} />}
      {of.kind === 'mobile' && <TextField label={t('network.apn')} required hint={t('network.apn.hint')} {...field('apn')} />}
      {of.kind === 'mobile' && <TextField label={t('network.pin')} inputmode="numeric" hint={was?.pin_set ? t('network.secret.kept') : undefined} {...secret} />}
      {of.kind !== 'mobile' && <Choice label={t('network.method')} value={method} onChoice={setMethod} choices={[['dhcp', t('network.dhcp')], ['static', t('network.static')]]} />}
      {method === 'static' && <TextField label={t('network.address')} required hint={t('network.address.hint')} inputmode="text" {...field('address')} />}
      {method === 'static' && <TextField label={t('network.router')} inputmode="text" {...field('router')} />}
      <TextField label={t('network.dns')} hint={t('network.list.hint')} {...field('dns')} />
      {ntp && <TextField label={t('network.ntp')} hint={t('network.list.hint')} {...field('ntp')} />}
      <p class="hint">{t('network.back')}</p>
      <Problem error={error} />
      <div class="actions">
        <button class="button primary">{t('network.set')}<span class="unseen"> {of.name}</span></button>
        {was && <SureButton label={t('network.reset')} about={of.name} onSure={() => send(remove<Settings>(path))} />}
      </div>
    </form>
  );
}

function Pending({ pending, onDone }: { pending: NonNullable<Settings['pending']>; onDone: (settings: Settings) => void }) {
  useCell(second);
  const [error, setError] = useState<unknown>(null);
  const settle = (what: 'confirm' | 'revert') => void post<Settings>(`/network/${what}`, {}).then(onDone, setError);
  return (
    <Notice level="look" title={t('network.pending', { left: duration(Math.max(0, pending.until - gatewayNow())) })} next={t('network.pending.next')}>
      <Problem error={error} />
      <div class="actions">
        <button class="button primary" type="button" onClick={() => settle('confirm')}>{t('change.keep')}</button>
        <button class="button quiet" type="button" onClick={() => settle('revert')}>{t('network.revert')}</button>
      </div>
    </Notice>
  );
}

export function NetworkPanel({ network }: { network: Network }) {
  const [settings, setSettings] = useState<Settings | null>(null);
  const pending = settings?.pending ?? null;
  useEffect(() => {
    const load = () => void get<Settings>('/network').then(setSettings, () => {});
    load();
    // Also for a change whose answer was lost, as the connection is what it changes.
    const timer = setInterval(load, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const can = (one: Interface): boolean => one.kind !== 'other' && may('owner') && !pending && settings?.can[one.kind] === true;
  return (
    <Panel title={t('network.title')}>
      <div aria-live="polite">
        {pending && <Pending pending={pending} onDone={setSettings} />}
        {!pending && settings?.why && <Notice level="look" title={said(settings.why)} />}
      </div>
      <dl class="facts">
        {network.interfaces.map((one) => (
          <div key={one.name}><dt>{one.name}</dt><dd>{one.addresses.join(', ')} <State level={one.up ? 'up' : 'unknown'} word={t(one.up ? 'network.up' : 'network.down')} /></dd></div>
        ))}
        <div><dt>{t('network.router')}</dt><dd>{network.router ?? t('value.none')}</dd></div>
        <div><dt>{t('network.dns')}</dt><dd>{network.dns.join(', ') || t('value.none')}</dd></div>
        <div><dt>{t('network.by')}</dt><dd>{network.by === 'none' ? t('network.none') : network.by}</dd></div>
      </dl>
      {settings && network.interfaces.filter(can).map((one) => {
        const was = settings.interfaces.find((set) => set.name === one.name);
        return (
          <details class="add" key={one.name}>
            <summary>{t('network.change', { name: one.name })}</summary>
            <Form key={JSON.stringify(was)} of={one} was={was} ntp={settings.by === 'systemd-networkd'} onDone={setSettings} />
          </details>
        );
      })}
      {may('owner') && settings?.why_not && <p class="hint">{said(settings.why_not)}</p>}
    </Panel>
  );
}
