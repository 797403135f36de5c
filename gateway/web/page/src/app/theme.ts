/** Light or dark: as the system says, or as was chosen here. */
import { kept } from '../lib/cell';

export type Theme = 'system' | 'light' | 'dark';
export const themes: readonly Theme[] = ['system', 'light', 'dark'];
export const theme = kept<Theme>('sluice.theme', 'system', themes);

const dark = matchMedia('(prefers-color-scheme: dark)');

function paint(): void {
  const chosen = theme.get();
  document.documentElement.dataset.theme = chosen === 'system' ? (dark.matches ? 'dark' : 'light') : chosen;
}

export function followTheme(): void {
  paint();
  theme.watch(paint);
  dark.addEventListener('change', paint);
}
