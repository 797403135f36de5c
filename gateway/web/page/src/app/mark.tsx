/** The sign of the page: a gate in a channel, and the water below it. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
      <rect width="32" height="32" rx="7" class="mark-ground" />
      <g class="mark-lines" fill="none" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round">
        <path d="M8 6v20M24 6v20M12.5 6.5h7v9h-7z" />
        <path d="M12 21q2-2 4 0t4 0M12 25.500q2-2 4 0t4 0" stroke-width="2" />
      </g>
    </svg>
  );
}
