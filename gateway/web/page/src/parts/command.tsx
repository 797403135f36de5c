/** A line to be typed elsewhere, with a button that copies it. */
import { useRef, useState } from 'preact/hooks';
import { t } from '../lib/text';

export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const line = useRef<HTMLPreElement>(null);
  // Where the browser does not let us it is marked, to be copied by hand.
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true), () => getSelection()!.selectAllChildren(line.current!));
  return (
    <div class="copy">
      <pre class="command" tabIndex={0} ref={line}>{text}</pre>
      {!!navigator.clipboard && <button class="button small" type="button" onClick={() => void copy()}>{t('command.copy')}</button>}
      <span role="status">{copied && t('command.copied')}</span>
    </div>
  );
}
