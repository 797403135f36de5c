/** A gateway that belongs to nobody yet: prove that one stands before it, then say who owns it and what it is called. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { place, setQuery } from '../../app/router';
import { checkCode, loadSession, setUp } from '../../api/session';
import type { Session } from '../../api/types';
import { clocksApart } from '../../lib/clock';
import { language, t } from '../../lib/text';
import { Door } from '../../parts/door';
import { Problem } from '../../parts/notice';
import { CodeStep } from './code-step';
import { GatewayStep } from './gateway-step';
import { OwnerStep } from './owner-step';

const STEPS = 3;

/** What has been answered so far. */
export interface Answers {
  code: string;
  name: string;
  password: string;
  id: string;
  title: string;
  /** Whether the gateway takes the time of this device. */
  takeTime: boolean;
}

export interface StepProps {
  answers: Answers;
  change: (answers: Partial<Answers>) => void;
  tried: boolean;
  back?: () => void;
  /** What it is called so far: the id is there always. */
  given: { id: string; name: string };
}

/** The code behind the address, where the QR code of a label has opened the page. It is taken out of the address: not for the browser's history. */
function labelCode(): string {
  const code = place.get().query.get('code') ?? '';
  if (code) setQuery({});
  return code;
}

export function FirstRun({ session }: { session: Session }) {
  const [step, setStep] = useState(0);
  /** Something was filled in wrongly when one wanted to go on. */
  const [tried, setTried] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [answers, setAnswers] = useState<Answers>(() => ({
    code: labelCode(), name: 'owner', password: '', id: session.gateway.id, title: session.gateway.name,
    takeTime: session.time?.trust !== 'synchronised',
  }));
  const change = (some: Partial<Answers>) => setAnswers((known) => ({ ...known, ...some }));

  // Before anybody can type: later it would take what is typed along.
  useLayoutEffect(() => {
    document.querySelector<HTMLInputElement>('.door form input')?.focus();
  }, [step]);

  const act = async (action: () => Promise<unknown>, then?: () => void) => {
    setError(null);
    try {
      await action();
      then?.();
    } catch (refused) {
      setError(refused);
      // It may be somebody's by now: one's own, too, where the answer was lost.
      await loadSession().catch(() => {});
    }
  };

  const finish = () => setUp({
    code: answers.code, name: answers.name, password: answers.password, language: language.get(),
    gateway: { id: answers.id, name: answers.title }, t: answers.takeTime && clocksApart() ? Date.now() : undefined,
  });

  const submit = (event: Event) => {
    event.preventDefault();
    const wrong = (event.currentTarget as HTMLFormElement).querySelector<HTMLInputElement>(':invalid');
    setTried(!!wrong);
    if (wrong) wrong.focus();
    else if (step === 0) void act(() => checkCode(answers.code), () => setStep(1));
    else if (step === 1) setStep(2);
    else void act(finish);
  };

  const Step = [CodeStep, OwnerStep, GatewayStep][step]!;
  const back = step > 0 ? () => setStep(step - 1) : undefined;
  return (
    <Door title={t('first.title')} lead={t('first.lead')}>
      <p class="steps" aria-live="polite">{t('first.step', { step: step + 1, of: STEPS })}</p>
      <form noValidate onSubmit={submit}>
        <Step answers={answers} change={change} back={back} given={session.gateway} tried={tried} />
        <Problem error={error} />
        <div class="actions">
          <button class="button primary">{t(step < STEPS - 1 ? 'first.next' : 'first.finish')}</button>
          {back && <button class="button quiet" type="button" onClick={back}>{t('first.back')}</button>}
        </div>
      </form>
    </Door>
  );
}
