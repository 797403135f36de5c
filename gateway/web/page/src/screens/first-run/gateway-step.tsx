/** What the gateway is called, and what time it is. */
import { useCell } from '../../lib/cell';
import { clocksApart, second } from '../../lib/clock';
import { dateTime } from '../../lib/format';
import { t } from '../../lib/text';
import { idField, TextField } from '../../parts/field';
import { idOf } from '../add-device/draft';
import type { StepProps } from './first-run';

/** The id is made of the name, until somebody gives it one of its own; one that came with a name is known to others already. */
export function idFor(title: string, before: { title: string; id: string }, given: { id: string; name: string }): string {
  const follows = !given.name && (before.id === given.id || before.id === idOf(before.title));
  return follows ? idOf(title) || given.id : before.id;
}

export function GatewayStep({ answers, change, given, tried }: StepProps) {
  const now = useCell(second);
  return (
    <>
      <h2>{t('first.gateway')}</h2>
      <TextField label={t('first.gateway.name')} name="title" autocomplete="off" hint={t('first.gateway.name.hint')}
        value={answers.title} onText={(title) => change({ title, id: idFor(title, answers, given) })} />
      <TextField label={t('first.gateway.id')} name="id" autocomplete="off" {...idField()} tried={tried}
        hint={t('first.gateway.id.hint')} value={answers.id} onText={(id) => change({ id })} />
      {clocksApart() ? (
        <label class="check">
          <input type="checkbox" checked={answers.takeTime} onChange={(event) => change({ takeTime: event.currentTarget.checked })} />
          <span>{t('first.gateway.time')} <span class="numbers">{dateTime(now)}</span></span>
        </label>
      ) : <p class="hint">{t('first.gateway.time.right')} <span class="numbers">{dateTime(now)}</span></p>}
    </>
  );
}
