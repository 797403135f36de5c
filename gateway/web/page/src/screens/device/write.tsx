/**
 * Writes a value: chosen first, then confirmed with what it is now and what it will be. What the gateway answers is
 * shown line by line: taken, then what the device holds.
 */
import { useState } from 'preact/hooks';
import { askText, jsonLines } from '../../api/client';
import { pointKey, valueOf } from '../../api/points';
import type { Point, Scalar } from '../../api/types';
import { useCell } from '../../lib/cell';
import { said, t, told } from '../../lib/text';
import { Dialog } from '../../parts/dialog';
import { Choice, TextField } from '../../parts/field';
import { Notice, Problem } from '../../parts/notice';
import { unitOf, written } from '../../parts/value';

/** For how long the command may wait for its turn. */
const TTL_MS = 15_000;

interface Answer {
  id: string;
  accepted?: boolean;
  ok?: boolean;
  v?: Scalar;
  why?: string;
  help?: string;
}

async function send(point: Point, v: Scalar): Promise<Answer> {
  const body = JSON.stringify({ id: crypto.randomUUID(), op: 'write', d: point.d, p: point.p, v, ttl: TTL_MS });
  const answers = jsonLines<Answer>(await askText('/commands?wait', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }));
  return answers.find((answer) => answer.ok !== undefined) ?? answers.at(-1) ?? { id: '' };
}

function bounds({ write, unit = '' }: Point): string {
  const { min, max, step } = write ?? {};
  const parts = [];
  if (min !== undefined || max !== undefined) parts.push(t('write.range', { min: min ?? '…', max: max ?? '…', unit }));
  if (step !== undefined) parts.push(t('write.step', { step, unit }));
  return parts.join(' · ');
}

/** Whether the gateway would refuse it for its size. */
export const isOutside = ({ write }: Point, value: Scalar): boolean => typeof value === 'number' && (value < (write?.min ?? -Infinity) || value > (write?.max ?? Infinity));

/** What was typed, as the command's value; null where it is none. */
function meant(point: Point, text: string): Scalar {
  if (point.type === 'boolean') return text === 'true';
  if (point.type === 'string') return text;
  const value = Number(text.trim().replace(',', '.'));
  return text.trim() && Number.isFinite(value) ? value : null;
}

/** "70.0 °C", which no line end may part. */
function withUnit(point: Point, v: Scalar): string {
  const number = written(point, { v, q: 'good', t: 1 });
  const unit = unitOf(point, v);
  return unit ? `${number}\u00a0${unit}` : number;
}

function Entry({ point, text, onText }: { point: Point; text: string; onText: (text: string) => void }) {
  const label = t('write.value', { name: point.name || point.p });
  if (point.enum)
    return <Choice label={label} value={text} onChoice={onText} choices={Object.entries(point.enum)} />;
  if (point.type === 'boolean')
    return <Choice label={label} value={text} onChoice={onText} choices={[['true', t('value.on')], ['false', t('value.off')]]} />;
  return <TextField label={point.unit ? `${label} (${point.unit})` : label} {...(isOutside(point, meant(point, text)) ? { wrong: bounds(point) } : { hint: bounds(point) })} inputmode="decimal" required value={text} onText={onText} />;
}

export function Write({ point, onClose }: { point: Point; onClose: () => void }) {
  const held = useCell(valueOf(pointKey(point)));
  const [text, setText] = useState(() => String(point.type === 'boolean' ? !held.v : held.v ?? ''));
  const [step, setStep] = useState<'choose' | 'confirm' | 'sent'>('choose');
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState<unknown>(null);
  const value = meant(point, text);
  const now = withUnit(point, held.v);
  const next = withUnit(point, value);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (step === 'choose') return value === null || isOutside(point, value) ? undefined : setStep('confirm');
    setStep('sent');
    try {
      setAnswer(await send(point, value));
    } catch (refused) {
      setError(refused);
    }
  };

  return (
    <Dialog title={t('write.title', { name: point.name || point.p, device: point.dn || point.d })} onClose={onClose}>
      <form onSubmit={submit}>
        {step === 'choose' && <Entry point={point} text={text} onText={setText} />}
        {step === 'choose' && text && value === null && <p class="wrong">{t('write.nonumber')}</p>}
        {step !== 'choose' && (
          <p class="write-change"><span class="numbers">{now}</span> <span aria-hidden="true">→</span><span class="unseen">{t('write.to')}</span> <b class="numbers">{next}</b></p>
        )}
        {step === 'confirm' && <p class="hint">{t('write.warning')}</p>}
        <div aria-live="polite">
          {step === 'sent' && !answer && !error && <p class="quiet-line">{t('write.waits')}</p>}
          {answer?.ok && <Notice level="up" title={t('write.done', { value: withUnit(point, answer.v ?? null) })} />}
          {answer && !answer.ok && <Notice level="down" title={t('write.failed')} why={answer.why && told(`why.${answer.why}`, answer.why)} next={told(`help.${answer.why}`, said(answer.help ?? ''))} />}
        </div>
        <Problem error={error} />
        <div class="actions">
          {step === 'choose' && <button class="button primary">{t('write.next')}</button>}
          {step === 'confirm' && <button class="button primary">{t('write.confirm', { value: next })}</button>}
          {step === 'confirm' && <button class="button quiet" type="button" onClick={() => setStep('choose')}>{t('write.back')}</button>}
          <button class="button quiet" type="button" onClick={onClose}>{t(answer || error ? 'dialog.close' : 'dialog.cancel')}</button>
        </div>
      </form>
    </Dialog>
  );
}
