/** The board that the gateway runs on: what stands on its housing, and how it is wired. */
import { useEffect } from 'preact/hooks';
import { askText, get } from '../api/client';
import { theme } from '../app/theme';
import { cell, useCell } from '../lib/cell';
import { language, t } from '../lib/text';

interface Means {
  steady?: string;
  blink?: string;
  off?: string;
}

export interface Board {
  name: string;
  power: string;
  serial: { label: string; port: string; use: 'field' | 'console'; terminals: string }[];
  leds: { label: string; means: Means }[];
  /** The same texts in German, by label. */
  de: { power: string; serial: Record<string, string>; leds: Record<string, Means> };
}

/** Its texts in the language of the page. */
function translated(board: Board): Board {
  if (language.get() !== 'de') return board;
  return {
    ...board,
    power: board.de.power,
    serial: board.serial.map((port) => ({ ...port, terminals: board.de.serial[port.label] ?? port.terminals })),
    leds: board.leds.map((led) => ({ ...led, means: board.de.leds[led.label] ?? led.means })),
  };
}

/** Undefined until it is known; null where nobody says which board it is. */
const known = cell<Board | null | undefined>(undefined);

/** Asked for once: a board does not change while it is switched on. */
export function useBoard(): Board | null | undefined {
  useEffect(() => {
    if (known.get() === undefined) void get<{ board: Board | null }>('/board').then((answer) => known.set(answer.board), () => known.set(null));
  }, []);
  const board = useCell(known);
  return board && translated(board);
}

/** Undefined until it is known; "" where there is none. */
const drawing = cell<string | undefined>(undefined);

/** A picture knows the browser's language and colours, not those that were chosen here: they are put into it. */
function adapted(picture: string): string {
  const dark = document.documentElement.dataset.theme === 'dark';
  return picture.replaceAll('systemLanguage="de"', language.get() === 'de' ? '' : 'systemLanguage="zxx"')
    .replaceAll('(prefers-color-scheme: dark)', dark ? 'all' : 'not all');
}

export function BoardDrawing({ board }: { board: Board }) {
  useCell(theme);
  const picture = useCell(drawing);
  useEffect(() => {
    if (picture === undefined) void askText('/board/drawing').then((text) => drawing.set(text), () => drawing.set(''));
  }, []);
  if (picture === '') return null;
  return (
    <img class="board-drawing" width="360" height="580" alt={t('board.drawing', { name: board.name })}
      src={picture && `data:image/svg+xml,${encodeURIComponent(adapted(picture))}`} />
  );
}
