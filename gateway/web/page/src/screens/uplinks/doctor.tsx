/** The way to the broker, step by step: which one fails, why, and what to do. */
import { useJob } from '../../api/jobs';
import { number } from '../../lib/format';
import { phrase } from '../../lib/phrases';
import { t, told } from '../../lib/text';
import { Problem } from '../../parts/notice';
import { Said } from '../../parts/said';
import { Panel } from '../../parts/panel';
import { Shape, type Level } from '../../parts/state';

interface Step {
  step: string;
  verdict: 'ok' | 'skipped' | 'warning' | 'failed';
  ms?: number;
  found?: string;
  next?: string;
  failed?: string;
}

const levels: Record<Step['verdict'], Level> = { ok: 'up', skipped: 'unknown', warning: 'look', failed: 'down' };

/** A step that is left out is not needed here, or comes behind one that fails. */
function verdictWord({ verdict, found }: Step): string {
  if (verdict !== 'skipped') return t(`state.${levels[verdict]}`);
  return t(found === 'not tried' ? 'doctor.untried' : 'doctor.unneeded');
}

/** What the way to a broker says of itself is one sentence, what to do with it; in another language it may be known as that. */
function Found({ step: { found = '', next } }: { step: Step }) {
  const whole = `${found}: ${next}`;
  if (next && phrase(found) === null && phrase(whole) !== null) return <p><Said text={whole} /></p>;
  return <><p><Said text={found} /></p>{next && <p class="doctor-next"><Said text={next} /></p>}</>;
}

function Line({ step }: { step: Step }) {
  return (
    <li class={step.verdict === 'skipped' ? 'doctor-step skipped' : 'doctor-step'}>
      <Shape level={levels[step.verdict]} />
      <div>
        <p><b>{told(`doctor.${step.step}`, step.step)}</b> <span class="unseen">{verdictWord(step)}</span>
          {!!step.ms && <span class="fact-what">{t('unit.ms', { n: number(step.ms) })}</span>}</p>
        <Found step={step} />
      </div>
    </li>
  );
}

export function Doctor({ id }: { id: string }) {
  const job = useJob<Step>();
  const end = job.lines.find((line) => line.step === 'end');
  const steps = job.lines.filter((line) => line.step !== 'end');
  // That a step fails is the answer, not a trouble of asking.
  const trouble = end ? null : job.error;
  return (
    <Panel title={t('doctor.title')}
      aside={<button class="button small" type="button" disabled={job.runs} onClick={() => job.start({ kind: 'doctor', uplink: id })}>{t(job.runs ? 'doctor.runs' : 'doctor.start')}</button>}>
      {!steps.length && !job.runs && !trouble && <p class="quiet-line">{t('doctor.what')}</p>}
      <Problem error={trouble} />
      <ol class="doctor">{steps.map((step) => <Line key={step.step} step={step} />)}</ol>
      <p role="status" class="doctor-end">{end && (end.verdict === 'failed' ? t('doctor.failed', { step: told(`doctor.${end.failed}`, end.failed ?? '') }) : t(end.verdict === 'ok' ? 'doctor.ok' : 'doctor.warning'))}</p>
    </Panel>
  );
}
