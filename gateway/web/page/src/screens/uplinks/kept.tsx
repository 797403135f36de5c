/** The files beside the configuration, of which the gateway lists the first 256. */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { t } from '../../lib/text';

interface Kept {
  files: readonly { name: string; kind: string; used_by?: string[] }[];
  /** So many more are there. */
  more: number;
}

/** Asked for once more when `again` changes. */
export function useKept(again?: unknown): Kept {
  const [kept, setKept] = useState<Kept>({ files: [], more: 0 });
  useEffect(() => void get<Kept>('/files').then(setKept, () => {}), [again]);
  return kept;
}

export const Unlisted = ({ more }: { more: number }) => (more ? <p class="hint">{t('files.more', { n: more })}</p> : null);
