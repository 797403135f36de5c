/** A number with its unit and what it is, in a width that does not change with it. */
import type { ComponentChildren } from 'preact';

interface FigureProps {
  label: string;
  value: string;
  unit?: string;
  note?: ComponentChildren;
}

export function Figure({ label, value, unit, note }: FigureProps) {
  return (
    <div class="figure">
      <dt>{label}</dt>
      <dd>
        <span class="figure-number">{value}</span>
        {unit && <span class="unit">{unit}</span>}
        {note && <span class="figure-note">{note}</span>}
      </dd>
    </div>
  );
}
