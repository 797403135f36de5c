/** The points of a device: its own, and those of its profile, which are changed by what the device says besides. */
import { useEffect, useState } from 'preact/hooks';
import { loadPoints, points as livePoints } from '../../api/points';
import type { Edit, Step } from '../../api/config';
import { flat, optionsOf, type Fields, type Schema } from '../../api/options';
import { useCell } from '../../lib/cell';
import { t } from '../../lib/text';
import { Dialog } from '../../parts/dialog';
import { Notice } from '../../parts/notice';
import { OptionFields } from '../../parts/option-fields';
import { Panel } from '../../parts/panel';
import { editsOfForm, usualKeys } from './usual';

interface PointsProps {
  device: Fields;
  driver: string;
  schema: Schema;
  ask: (title: string, edits: readonly Edit[]) => void;
}

/** Where the points of a device are. */
const place = (device: Fields): readonly Step[] => ['devices', { id: String(device.id) }, 'points'];

/** What makes a point of a device another one, or a new one. */
export function editsOfPoint(device: Fields, before: Fields | null, after: Fields): Edit[] {
  const at = place(device);
  if (before) return [{ at: [...at, { id: String(before.id) }], set: after }];
  return Array.isArray(device.points) ? [{ at, add: after }] : [{ at, set: [after] }];
}

/** A point of the device's own goes; one of its profile is left out of those that are read. */
export function editsWithoutPoint(device: Fields, id: string, read: readonly string[]): Edit[] {
  const own = Array.isArray(device.points) ? (device.points as Fields[]) : [];
  const edits: Edit[] = own.some((point) => point.id === id) ? [{ at: [...place(device), { id }], remove: true }] : [];
  const also = Array.isArray(device.also) ? (device.also as string[]) : [];
  if (!device.profile || (edits.length && !read.includes(id))) return edits;
  if (also.includes(id)) return [...edits, { at: ['devices', { id: String(device.id) }, 'also'], set: also.filter((one) => one !== id) }];
  return edits.length ? edits : [{ at: ['devices', { id: String(device.id) }, 'only'], set: read.filter((one) => one !== id) }];
}

function PointDialog({ before, device, driver, schema, ask, onClose }: PointsProps & { before: Fields | null; onClose: () => void }) {
  const options = optionsOf(schema, 'points', driver);
  const [fields, setFields] = useState<Fields>(() => (before ? flat(before, options) : {}));
  const own = before && Array.isArray(device.points) && (device.points as Fields[]).some((point) => point.id === before.id);
  const title = before ? t('settings.point', { name: String(before.id) }) : t('settings.points.add');
  const submit = (event: Event): void => {
    event.preventDefault();
    onClose();
    if (own) return ask(title, editsOfForm('points', [...place(device), { id: String(before.id) }], before, fields, options, {}));
    ask(title, editsOfPoint(device, null, { ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) }));
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {before && !own && <p class="hint">{t('settings.point.profile')}</p>}
        <OptionFields kind="points" options={options} fields={fields} usual={before && !own ? ['name', 'every'] : usualKeys('points', driver)} without={before && !own ? ['id'] : []} change={setFields} />
        <div class="actions">
          <button class="button primary">{t('add.review')}</button>
          <button class="button quiet" type="button" onClick={onClose}>{t('dialog.cancel')}</button>
        </div>
      </form>
    </Dialog>
  );
}

export function Points(props: PointsProps) {
  const { device, ask } = props;
  const [editing, setEditing] = useState<{ before: Fields | null } | null>(null);
  const known = useCell(livePoints);
  useEffect(() => void loadPoints().catch(() => {}), [device]);
  if (typeof device.points === 'string')
    return <Panel title={t('device.values')}><Notice level="unknown" title={t('settings.points.table', { file: device.points })} next={t('settings.points.table.next')} /></Panel>;
  const own = (device.points as Fields[] | undefined) ?? [];
  const read = [...(known?.values() ?? [])].filter((point) => point.d === device.id);
  const listed = [...own.map((point) => ({ id: String(point.id), name: String(point.name ?? point.id), entry: point })),
    ...read.filter((point) => !own.some((one) => one.id === point.p)).map((point) => ({ id: point.p, name: point.name ?? point.p, entry: { id: point.p } }))];
  return (
    <Panel title={t('device.values')} aside={<button class="button small" type="button" onClick={() => setEditing({ before: null })}>{t('settings.points.add')}</button>}>
      {!listed.length && <p class="quiet-line">{t('device.nopoints')}</p>}
      <ul class="entries">
        {listed.map(({ id, name, entry }) => (
          <li key={id}>
            <span><b>{name}</b> <span class="quiet-line">{id}</span></span>
            <button class="button small" type="button" onClick={() => setEditing({ before: entry })}>{t('system.change')}<span class="unseen"> {name}</span></button>
            <button class="button small" type="button" onClick={() => ask(t('settings.remove.title', { name: id }), editsWithoutPoint(device, id, read.map((point) => point.p)))}>
              {t('accounts.remove')}<span class="unseen"> {name}</span>
            </button>
          </li>
        ))}
      </ul>
      {editing && <PointDialog {...props} before={editing.before} onClose={() => setEditing(null)} />}
    </Panel>
  );
}
