/** A button for what cannot be undone: the first press asks, the second does it. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../lib/text';

interface SureButtonProps {
  label: string;
  /** What it is about, for those who hear one button after the other. */
  about: string;
  onSure: () => void;
}

export function SureButton({ label, about, onSure }: SureButtonProps) {
  const [asked, setAsked] = useState<boolean>();
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (asked !== undefined) button.current?.focus();
  }, [asked]);
  if (!asked)
    return <button key="ask" class="button small" type="button" ref={button} onClick={() => setAsked(true)}>{label}<span class="unseen"> {about}</span></button>;
  return (
    <span class="sure">
      <button class="button small danger" type="button" ref={button} onClick={({ detail }) => {
        // The second press of one who always presses twice has not read the question.
        if (detail > 1) return;
        setAsked(false);
        onSure();
      }}>{t('sure.yes', { what: label })}<span class="unseen"> {about}</span></button>
      <button class="button small quiet" type="button" onClick={() => setAsked(false)}>{t('dialog.cancel')}</button>
    </span>
  );
}
