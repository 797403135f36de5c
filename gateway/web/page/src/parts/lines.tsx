/** A difference of two texts, line by line. */
export function Lines({ lines }: { lines: string }) {
  return (
    <pre tabIndex={0}>
      {lines.split('\n').map((line, i) => <span key={i} class={line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : undefined}>{line + '\n'}</span>)}
    </pre>
  );
}
