/** A button for what cannot be undone: the first press asks, the second does it. */
import { useState } from 'preact/hooks';
import { t } from '../lib/text';

interface SureButtonProps {
  label: string;
  /** What it is about, for those who hear one button after the other. */
  about: string;
  onSure: () => void;
}

export function SureButton({ label, about, onSure }: SureButtonProps) {
  const [asked, setAsked] = useState(false);
  if (!asked)
    return <button class="button small" type="button" onClick={() => setAsked(true)}>{label}<span class="unseen"> {about}</span></button>;
  return (
    <span class="sure">
      <button class="button small danger" type="button" autofocus onClick={() => {
        setAsked(false);
        onSure();
      }}>{t('sure.yes', { what: label })}<span class="unseen"> {about}</span></button>
      <button class="button small quiet" type="button" onClick={() => setAsked(false)}>{t('dialog.cancel')}</button>
    </span>
  );
}
