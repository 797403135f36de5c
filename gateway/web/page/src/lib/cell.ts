/** A value that can be watched: what the screens show lives in cells, and only who reads one is drawn again. */
import { useEffect, useState } from 'preact/hooks';

export interface Cell<T> {
  get(): T;
  /** Tells the watchers unless it is the same value. */
  set(value: T): void;
  /** Returns what ends the watching. */
  watch(watcher: () => void): () => void;
}

export function cell<T>(first: T): Cell<T> {
  let value = first;
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const watcher of [...watchers]) watcher();
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}

/** The cell's value; the component is drawn again when it changes. */
export function useCell<T>(source: Cell<T>): T {
  const [, draw] = useState({});
  const drawn = source.get();
  useEffect(() => {
    const ending = source.watch(() => draw({}));
    if (!Object.is(drawn, source.get())) draw({}); // it changed between drawing and watching
    return ending;
  }, [source]);
  return drawn;
}

/** A cell that survives closing the browser, where it lets us. `valid` guards against what somebody else wrote. */
export function kept<T extends string>(key: string, first: T, valid: readonly T[]): Cell<T> {
  const stored = (() => {
    try {
      return localStorage.getItem(key) as T | null;
    } catch {
      return null;
    }
  })();
  const made = cell<T>(stored !== null && valid.includes(stored) ? stored : first);
  made.watch(() => {
    try {
      localStorage.setItem(key, made.get());
    } catch {
      /* a private window keeps nothing */
    }
  });
  return made;
}
