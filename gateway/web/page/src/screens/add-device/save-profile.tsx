/** The points that were found by hand, kept as a profile: for the next device of this model, and for other gateways. */
import { useState } from 'preact/hooks';
import { put } from '../../api/client';
import { t } from '../../lib/text';
import { TextField } from '../../parts/field';
import { Problem } from '../../parts/notice';
import type { StepProps } from './add-device';
import { idOf } from './draft';

export function SaveProfile({ draft, change }: StepProps) {
  const [vendor, setVendor] = useState('');
  const [model, setModel] = useState('');
  const [error, setError] = useState<unknown>(null);
  const name = idOf(`${vendor} ${model}`);
  const save = async (): Promise<void> => {
    setError(null);
    try {
      await put(`/profiles/${encodeURIComponent(name)}`, {
        vendor: vendor.trim(), model: model.trim(), drivers: ['modbus-rtu', 'modbus-tcp'], numbering: draft.numbering ?? draft.like?.numbering ?? '0-based', points: draft.points,
      });
      change({ profile: name, points: undefined });
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <details class="add">
      <summary>{t('profile.save')}</summary>
      <p class="quiet-line">{t('profile.what')}</p>
      <TextField label={t('identity.vendor')} value={vendor} onText={setVendor} />
      <TextField label={t('identity.model')} value={model} onText={setModel} />
      <Problem error={error} />
      <div class="actions"><button class="button" type="button" disabled={!vendor.trim() || !model.trim()} onClick={() => void save()}>{t('profile.do')}</button>{name && <code>{name}</code>}</div>
    </details>
  );
}
