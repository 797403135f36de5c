/** How something is: by shape, by word and by colour, so that any one of them is enough. */
import { t } from '../lib/text';

export type Level = 'up' | 'look' | 'down' | 'unknown' | 'paused';

const shapes: Record<Level, preact.JSX.Element> = {
  up: <circle cx="6" cy="6" r="5" />,
  look: <path d="M6 .8 11.6 11H.4z" />,
  down: <rect x="1" y="1" width="10" height="10" rx="1" />,
  unknown: <circle cx="6" cy="6" r="4.1" fill="none" stroke="currentColor" stroke-width="1.8" />,
  paused: <path d="M1.5 1.5h3v9h-3zM7.5 1.5h3v9h-3z" />,
};

export function Shape({ level }: { level: Level }) {
  return (
    <svg class={`shape is-${level}`} viewBox="0 0 12 12" width="12" height="12" fill="currentColor" aria-hidden="true">
      {shapes[level]}
    </svg>
  );
}

/** `word` is said in place of the level's own. */
export function State({ level, word }: { level: Level; word?: string }) {
  return (
    <span class="state">
      <Shape level={level} />
      <span class={`is-${level}`}>{word ?? t(`state.${level}`)}</span>
    </span>
  );
}
