/** Points from a spreadsheet: pasted as a table whose first line names the columns as the configuration does. */
import { useState } from 'preact/hooks';
import { t } from '../../lib/text';
import { Field, TextField } from '../../parts/field';
import type { StepProps } from './add-device';
import { numberingOf } from './register';

/** What is never a number, whatever it looks like. */
const TEXTS = ['id', 'name', 'unit', 'ucum', 'class'];
const POINTS_MAX = 2_000;
const EXAMPLE = 'id;name;reg;type;unit;scale;write.min;write.max';

/** A cell as the gateway reads it in a table of its own; only that a comma may be a number's, too. Lists have | between their items. */
function valueOf(key: string, cell: string): unknown {
  const items = (cell.match(/(\\.|[^|])+/g) ?? []).map((item) => item.replace(/\\(.)/g, '$1')), number = Number(cell.replace(',', '.'));
  if (key === 'was') return items;
  if (key === 'na') return items.map(Number);
  if (key === 'enum') return Object.fromEntries(items.map((item) => item.split('=')));
  if (TEXTS.includes(key)) return cell;
  if (/^(true|false)$/i.test(cell)) return cell.length === 4;
  return Number.isNaN(number) ? cell : number;
}

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
    let open: unknown;
    cells(line).forEach((cell, column) => {
      const key = keys[column], [part, inner] = key?.split('.') ?? [];
      if (!part || cell === '') return;
      const value = valueOf(key!, cell);
      if (key === 'write') open = value;
      else if (inner) ((point[part] ??= {}) as Record<string, unknown>)[inner] = value;
      else point[part] = value;
    });
    if (open === true) point.write ??= {};
    // What says that it may not be written has no limits of what may be.
    const right = open === undefined || open === true || (open === false && !point.write);
    if (point.id && Number.isFinite(point.reg) && right) points.push(point);
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
