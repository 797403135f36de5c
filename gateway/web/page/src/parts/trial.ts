/** How it stands with the change that a form has applied: on trial, then kept or gone back. */
import { useEffect, useState } from 'preact/hooks';
import { ended } from '../api/config';
import { useCell } from '../lib/cell';

export type Trial = 'on trial' | 'kept' | 'back';

/** Null until there is one; what is returned besides is called when one begins. What becomes of later changes is of others. */
export function useTrial(): [Trial | null, () => void] {
  const [trial, setTrial] = useState<Trial | null>(null);
  const how = useCell(ended);
  useEffect(() => {
    if (how) setTrial((known) => (known === 'on trial' ? how : known));
  }, [how]);
  return [trial, () => setTrial('on trial')];
}
