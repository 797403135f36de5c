/** What the gateway is called, and what time it is. */
import { useCell } from '../../lib/cell';
import { second } from '../../lib/clock';
import { dateTime } from '../../lib/format';
import { t } from '../../lib/text';
import { TextField } from '../../parts/field';
import type { StepProps } from './first-run';

export function GatewayStep({ answers, change }: StepProps) {
  const now = useCell(second);
  return (
    <>
      <h2>{t('first.gateway')}</h2>
      <TextField label={t('first.gateway.name')} name="title" autocomplete="off" hint={t('first.gateway.name.hint')}
        value={answers.title} onText={(title) => change({ title })} />
      <TextField label={t('first.gateway.id')} name="id" autocomplete="off" autocapitalize="none" spellcheck={false} required
        pattern="[a-z0-9_\-]{1,40}" title={t('form.id')} hint={t('first.gateway.id.hint')} value={answers.id} onText={(id) => change({ id })} />
      <label class="check">
        <input type="checkbox" checked={answers.takeTime} onChange={(event) => change({ takeTime: event.currentTarget.checked })} />
        <span>{t('first.gateway.time')} <span class="numbers">{dateTime(now)}</span></span>
      </label>
    </>
  );
}
