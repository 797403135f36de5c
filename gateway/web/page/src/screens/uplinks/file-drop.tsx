/** A certificate or key by dropping its file: looked at on the spot, and kept on the gateway under a name. */
import { useId, useState } from 'preact/hooks';
import { ask } from '../../api/client';
import { dateTime } from '../../lib/format';
import { said, t } from '../../lib/text';
import { Notice, Problem } from '../../parts/notice';

interface Inspected {
  kind: string;
  subject?: string;
  issuer?: string;
  from?: number;
  until?: number;
  sentence?: string;
}

interface FileDropProps {
  label: string;
  hint: string;
  /** Its name on the gateway once it is there. */
  name: string | null;
  /** What it is to be called: "cloud-ca.pem". */
  wanted: string;
  onKept: (name: string | null) => void;
  /** Why it cannot be used as it is, though it was taken. */
  wrong?: string;
  /** What is said of it in place of the gateway's sentence. */
  right?: string;
}

export function FileDrop({ label, hint, name, wanted, onKept, wrong, right }: FileDropProps) {
  const id = useId();
  const [about, setAbout] = useState<Inspected | null>(null);
  const [over, setOver] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setError(null);
    onKept(null);
    try {
      const headers = { 'Content-Type': 'application/octet-stream' };
      setAbout(await (await ask('/files/inspect', { method: 'POST', body: file, headers })).json() as Inspected);
      await ask(`/files/${encodeURIComponent(wanted)}`, { method: 'PUT', body: file, headers });
      onKept(wanted);
    } catch (refused) {
      setError(refused);
    }
  };

  return (
    <div class={over ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer?.files[0]);
      }}>
      <label for={id}>{label}</label>
      <input id={id} class="drop-input" type="file" onChange={(event) => void take(event.currentTarget.files?.[0])} />
      <p class="hint">{hint}</p>
      <Problem error={error} />
      <div aria-live="polite">
        {about && name && (
          <Notice level={wrong ? 'down' : 'up'} title={about.subject ?? about.kind} why={about.until ? t('drop.until', { until: dateTime(about.until) }) : undefined}
            next={wrong ?? right ?? said(about.sentence ?? '')} />
        )}
      </div>
    </div>
  );
}
