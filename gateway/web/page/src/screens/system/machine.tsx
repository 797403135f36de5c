/** The machine under the gateway: what it is, how it is connected, and how its disk wears. */
import { useEffect, useState } from 'preact/hooks';
import { get, post } from '../../api/client';
import { may } from '../../api/session';
import { status } from '../../api/status';
import { useCell } from '../../lib/cell';
import { bytes, duration, number } from '../../lib/format';
import { t, told } from '../../lib/text';
import { Notice, Problem } from '../../parts/notice';
import { Panel } from '../../parts/panel';
import { SureButton } from '../../parts/sure-button';
import { BoardPanel } from './board';
import { NetworkPanel, type Network } from './network';

interface Machine {
  host: string;
  machine: { model: string; arch: string; os: string; processors: number; load: number; memory_bytes: number; memory_free_bytes: number; uptime_s: number; temperature: number | null };
  network: Network;
  storage: { path: string; filesystem: string; size_bytes: number; free_bytes: number; device: string; medium: string; life_used_percent: number | null; written_bytes_day: number };
}

const AGAIN_MS = 30_000;

function Restart() {
  /** Since when the configuration is in force that is to end; another is when everything has begun anew. */
  const [ends, setEnds] = useState(0);
  const since = useCell(status)?.config.since;
  const [error, setError] = useState<unknown>(null);
  return (
    <>
      <Problem error={error} />
      <div class="actions" aria-live="polite">
        {ends && ends === since ? <Notice level="paused" title={t('machine.restarting')} />
          : <SureButton label={t('machine.restart')} about="" onSure={() => void post('/restart').then(() => setEnds(since ?? 0), setError)} />}
      </div>
    </>
  );
}

function About({ known }: { known: Machine }) {
  const { machine } = known;
  return (
    <Panel title={t('machine.title')}>
      <dl class="facts">
        <div><dt>{t('machine.model')}</dt><dd>{machine.model || machine.arch} <span class="fact-what">{known.host}</span></dd></div>
        <div><dt>{t('machine.os')}</dt><dd>{machine.os}</dd></div>
        <div><dt>{t('machine.load')}</dt><dd>{t('machine.load.of', { n: machine.processors, load: number(machine.load, 1) })}</dd></div>
        <div><dt>{t('machine.memory')}</dt><dd>{t('journal.size.of', { used: bytes(machine.memory_free_bytes), keep: bytes(machine.memory_bytes) })}</dd></div>
        {machine.temperature !== null && <div><dt>{t('machine.temperature')}</dt><dd>{number(machine.temperature, 1)}&nbsp;<span class="unit">°C</span></dd></div>}
        <div><dt>{t('machine.uptime')}</dt><dd>{duration(machine.uptime_s * 1000)}</dd></div>
      </dl>
      {may('owner') && <Restart />}
    </Panel>
  );
}

function Disk({ storage }: { storage: Machine['storage'] }) {
  return (
    <Panel title={t('disk.title')}>
      <dl class="facts">
        <div><dt>{t('disk.medium')}</dt><dd>{told(`disk.is.${storage.medium}`, storage.medium)} <span class="fact-what">{storage.device} {storage.filesystem}</span></dd></div>
        <div><dt>{t('disk.path')}</dt><dd><code>{storage.path}</code></dd></div>
        <div><dt>{t('disk.free')}</dt><dd>{t('journal.size.of', { used: bytes(storage.free_bytes), keep: bytes(storage.size_bytes) })}</dd></div>
        {storage.life_used_percent !== null && <div><dt>{t('disk.life')}</dt><dd>{number(storage.life_used_percent)}&nbsp;<span class="unit">%</span></dd></div>}
        <div><dt>{t('disk.written')}</dt><dd>{bytes(storage.written_bytes_day)}&nbsp;<span class="unit">{t('disk.aDay')}</span></dd></div>
      </dl>
    </Panel>
  );
}

export function MachinePanels() {
  const [known, setKnown] = useState<Machine | null>(null);
  useEffect(() => {
    const load = () => get<Machine>('/system').then(setKnown, () => {});
    void load();
    const timer = setInterval(() => void load(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  if (!known) return null;
  return (
    <>
      <About known={known} />
      <NetworkPanel network={known.network} />
      <Disk storage={known.storage} />
      <BoardPanel />
    </>
  );
}
