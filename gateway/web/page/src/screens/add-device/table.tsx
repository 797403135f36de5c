/** Points from a spreadsheet: pasted as a table whose first line names the columns as the configuration does. */
import { useState } from 'preact/hooks';
import { t } from '../../lib/text';
import { Field, TextField } from '../../parts/field';
import type { StepProps } from './add-device';
import { numberingOf } from './register';

const NUMBERS = ['reg', 'scale', 'offset', 'length', 'min', 'max', 'bit'];
const POINTS_MAX = 2_000;
const EXAMPLE = 'id;name;reg;type;unit;scale';

/** Tabs (from a spreadsheet), semicolons or commas; texts may be quoted. */
export function readTable(text: string): { points: Record<string, unknown>[]; wrong: number[] } {
  const lines = text.split(/\r?\n/).filter((line) => line.trim());
  const head = lines[0] ?? '';
  const separator = ['\t', ';', ','].find((one) => head.includes(one)) ?? ',';
  const cell = new RegExp(`\\s*("(?:[^"]|"")*"|[^${separator}]*)(?:${separator}|$)`, 'g');
  // The last match is the nothing behind the last cell.
  const cells = (line: string): string[] =>
    [...line.matchAll(cell)].slice(0, -1).map(([, text = '']) => text.trim().replace(/^"(.*)"$/, '$1').replace(/""/g, '"'));
  const keys = cells(head).map((key) => key.toLowerCase());
  const points: Record<string, unknown>[] = [], wrong: number[] = [];
  lines.slice(1, POINTS_MAX + 1).forEach((line, i) => {
    const point: Record<string, unknown> = {};
    cells(line).forEach((cell, column) => {
      const key = keys[column];
      if (key && cell !== '') point[key] = NUMBERS.includes(key) ? Number(cell.replace(',', '.')) : cell;
    });
    if (point.id && Number.isFinite(point.reg)) points.push(point);
    else wrong.push(i + 2);
  });
  return { points, wrong };
}

export function Table({ draft, change }: StepProps) {
  const [text, setText] = useState('');
  const { points, wrong } = readTable(text), numbering = numberingOf(points);
  return (
    <div>
      <TextField label={t('add.unit')} inputmode="numeric" value={String(draft.unit)} onText={(unit) => change({ unit: Number(unit) || 0 })} />
      <Field label={t('table.label')} hint={<>{t('table.hint')} <code>{EXAMPLE}</code></>} wrong={wrong.length ? t('table.wrong', { lines: wrong.slice(0, 8).join(', ') }) : undefined}>
        {(tied) => <textarea class="input" rows={8} spellcheck={false} {...tied} value={text} onInput={(event) => setText(event.currentTarget.value)} />}
      </Field>
      {numbering === '40001' && <p class="hint">{t('explorer.table')}: {t('explorer.table.manual')}</p>}
      <div class="actions">
        <button class="button" type="button" disabled={!points.length} onClick={() => change({ points, profile: undefined, numbering })}>{t('table.take', { n: points.length })}</button>
        {draft.points && <span class="quiet-line" role="status">{t('table.taken', { n: draft.points.length })}</span>}
      </div>
    </div>
  );
}
