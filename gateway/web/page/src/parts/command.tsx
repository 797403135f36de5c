/** A line to be typed elsewhere, with a button that copies it. */
import { useState } from 'preact/hooks';
import { t } from '../lib/text';

export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true), () => {});
  return (
    <div class="copy">
      <pre class="command" tabIndex={0}>{text}</pre>
      {!!navigator.clipboard && <button class="button small" type="button" onClick={() => void copy()}>{t('command.copy')}</button>}
      <span class="unseen" role="status">{copied && t('command.copied')}</span>
    </div>
  );
}
