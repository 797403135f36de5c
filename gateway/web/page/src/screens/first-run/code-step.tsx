/** Whoever stands before the gateway can read its code; nobody else can. */
import { t } from '../../lib/text';
import { TextField } from '../../parts/field';
import type { StepProps } from './first-run';

export function CodeStep({ answers, change, tried }: StepProps) {
  return (
    <>
      <h2>{t('first.code')}</h2>
      <TextField label={t('first.code.label')} class="code" name="code" autocomplete="one-time-code" autocapitalize="characters"
        spellcheck={false} required title={t('first.code.missing')} tried={tried} value={answers.code} onText={(code) => change({ code })} />
      <div class="hint">
        <p>{t('first.code.where')}</p>
        <ul>
          <li>{t('first.code.label.where')}</li>
          <li>{t('first.code.console')} <code>sluice setup</code></li>
          <li>{t('first.code.log')}</li>
        </ul>
      </div>
    </>
  );
}
