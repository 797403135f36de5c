/**
 * A device without a profile: reads its registers in every type and order, and finds which one is the number that the
 * device's display shows. What fits is picked, named, and becomes a point.
 */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useJob } from '../../api/jobs';
import { number } from '../../lib/format';
import { t, told } from '../../lib/text';
import { Choice, TextField } from '../../parts/field';
import { Problem } from '../../parts/notice';
import type { StepProps } from './add-device';
import { freeId, idOf, placeFrames, placeLine, placeOn } from './draft';
import { isManual } from './register';

interface Meaning {
  pick?: number;
  reg: number;
  type: string;
  order: string;
  scale: number;
  values: (number | string)[];
  motion: string;
  plausible: boolean;
}

/** How the first register is counted: as manuals do, which tells the table, too; or in a table from 0. */
const TABLES = ['manual', 'holding', 'input'] as const;
const SHOWN = 60;

function asPoint(meaning: Meaning, table: string, name: string, unit: string, taken: readonly string[]): Record<string, unknown> {
  const wide = !['u16', 'i16', 'u8', 'i8', 'bool'].includes(meaning.type);
  return {
    id: freeId(idOf(name) || `reg-${meaning.reg}`, taken), ...(name && { name }), reg: meaning.reg, ...(table === 'input' && { table }), type: meaning.type,
    ...(wide && { order: meaning.order }), ...(meaning.scale !== 1 && { scale: meaning.scale }), ...(unit && { unit }),
  };
}

function Pick({ meaning, onPick }: { meaning: Meaning; onPick: (name: string, unit: string) => void }) {
  const [name, setName] = useState('');
  const [unit, setUnit] = useState('');
  const form = useRef<HTMLFormElement>(null);
  // It may be far above what was pressed.
  useLayoutEffect(() => form.current!.querySelector('input')!.focus(), [meaning]);
  return (
    <form class="pick" ref={form} onSubmit={(event) => {
      event.preventDefault();
      onPick(name, unit);
    }}>
      <p><b>{t('explorer.reg', { reg: meaning.reg })}</b> {meaning.type} {meaning.order}</p>
      <TextField label={t('explorer.name')} required value={name} onText={setName} />
      <TextField label={t('explorer.unit')} value={unit} onText={setUnit} />
      <div class="actions"><button class="button primary">{t('explorer.keep')}</button></div>
    </form>
  );
}

export function Explorer({ draft, change }: StepProps) {
  // Points of one device are counted in one way: as the first of them is.
  const numbering = draft.points?.length ? draft.numbering ?? draft.like?.numbering : undefined;
  const job = useJob<Meaning>();
  const [reg, setReg] = useState(numbering === '0-based' ? '0' : '40001');
  const [count, setCount] = useState('20');
  const [table, setTable] = useState<(typeof TABLES)[number]>(numbering === '0-based' ? 'holding' : 'manual');
  const [expect, setExpect] = useState('');
  const [picking, setPicking] = useState<Meaning | null>(null);
  const place = draft.place!, points = draft.points ?? [];
  const odd = table === 'manual' && !isManual(reg.trim());
  const counted = t(table === 'manual' ? 'explorer.from.manual' : 'explorer.from.hint');
  const read = (event: Event): void => {
    event.preventDefault();
    job.start({
      kind: 'read', on: placeOn(place), unit: draft.unit, reg: Number(reg), count: Number(count), table: table === 'manual' ? undefined : table, line: placeLine(place), frames: placeFrames(place), samples: 2, interval_ms: 500,
      expect: expect.trim().replace(',', '.') || undefined,
    });
  };
  const fitting = job.lines.filter((line) => line.values && (expect || line.plausible)).slice(0, SHOWN);
  const pick = (name: string, unit: string): void => {
    const point = asPoint(picking!, table, name, unit, points.map((one) => String(one.id))), text = expect.trim();
    change({ profile: undefined, numbering: table === 'manual' ? '40001' : '0-based', points: [...points, point], shown: text ? { ...draft.shown, [String(point.id)]: text } : draft.shown });
    setPicking(null);
  };
  return (
    <div>
      <form class="explorer-form" onSubmit={read}>
        <TextField label={t('add.unit')} inputmode="numeric" required value={String(draft.unit)} onText={(text) => change({ unit: Number(text) || 0 })} />
        <Choice label={t('explorer.table')} value={table} onChoice={setTable} choices={TABLES.filter((one) => !numbering || (one === 'manual') === (numbering === '40001')).map((one) => [one, t(`explorer.table.${one}`)] as const)} />
        <TextField label={t('explorer.from')} hint={odd ? undefined : counted} wrong={odd ? counted : undefined}
          inputmode="numeric" required value={reg} onText={setReg} />
        <TextField label={t('explorer.count')} inputmode="numeric" required value={count} onText={setCount} />
        <TextField label={t('explorer.expect')} hint={t('explorer.expect.hint')} inputmode="decimal" value={expect} onText={setExpect} />
        <div class="actions"><button class="button primary" disabled={job.runs || odd}>{t(job.runs ? 'test.runs' : 'explorer.read')}</button></div>
      </form>
      <Problem error={job.error} />
      {job.end && !fitting.length && !job.error && <p class="quiet-line">{t('explorer.nothing')}</p>}
      {picking && <Pick meaning={picking} onPick={pick} />}
      {fitting.length > 0 && (
        <div class="scroll meanings" tabIndex={0} role="group" aria-label={t('explorer.meanings')}>
          <table class="table">
            <thead><tr><th scope="col">{t('explorer.register')}</th><th scope="col">{t('explorer.type')}</th><th scope="col" class="number">{t('explorer.value')}</th><th scope="col"><span class="unseen">{t('explorer.pick')}</span></th></tr></thead>
            <tbody>
              {fitting.map((line) => (
                <tr key={`${line.reg}/${line.type}/${line.order}/${line.scale}`}>
                  <th scope="row">{line.reg}</th>
                  <td>{line.type} {line.order}{line.scale !== 1 && ` × ${line.scale}`} <span class="quiet-line">{told(`motion.${line.motion}`, line.motion)}</span></td>
                  <td class="number">{line.values.map((value) => (typeof value === 'number' ? number(value) : value)).at(-1)}</td>
                  <td><button class="button small" type="button" onClick={() => setPicking(line)}>{t('explorer.pick')}<span class="unseen"> {line.reg} {line.type}</span></button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {points.length > 0 && (
        <>
          <h3 class="facts-head">{t('explorer.points')}</h3>
          <ul class="entries">{points.map((point) => (
            <li key={String(point.id)}><b>{String(point.name ?? point.id)}</b><span class="quiet-line">{String(point.reg)} {String(point.type)} {String(point.unit ?? '')}</span>
              <button class="button small" type="button" onClick={() => change({ points: points.filter((one) => one !== point) })}>{t('accounts.remove')}<span class="unseen"> {String(point.name ?? point.id)}</span></button></li>
          ))}</ul>
        </>
      )}
    </div>
  );
}
