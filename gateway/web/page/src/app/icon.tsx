/** The page's few icons, drawn on a grid of 20. They never stand without a word. */
const icons = {
  overview: 'M3 10h4M13 10h4M7 5.5h6v9H7zM13 10h4',
  devices: 'M4 3.5h12v13H4zM7 7h6M7 10.2h3M13 13.6h.01',
  buses: 'M2.5 10h15M5 10V5.5M10 10v4.5M15 10V5.5',
  uplinks: 'M6 15.5h8.5a3.2 3.2 0 0 0 .4-6.4 4.8 4.8 0 0 0-9.3-.6A3.6 3.6 0 0 0 6 15.5zM10 13V9M8.2 10.6 10 8.8l1.8 1.8',
  history: 'M3.5 10a6.5 6.5 0 1 0 2-4.7L3.5 7M3.5 3.5V7H7M10 6.5V10l2.6 1.6',
  logs: 'M4 5h12M4 8.4h9M4 11.7h12M4 15h6',
  system: 'M3 6h7M14 6h3M12 4.2v3.6M3 14h3M10 14h7M8 12.2v3.6',
  more: 'M4 10h1M9.5 10h1M15 10h1',
  account: 'M10 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 16.5c.6-3 3-4.5 6-4.5s5.4 1.500 6 4.5',
} as const;

export type IconName = keyof typeof icons;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.6"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={icons[name]} />
    </svg>
  );
}
