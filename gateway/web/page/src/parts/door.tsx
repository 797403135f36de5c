/** The frame of what is shown before anybody is in: one column, the gateway's name, and the language. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { Mark } from '../app/mark';
import { useCell } from '../lib/cell';
import { language, languageNames, languages } from '../lib/text';

interface DoorProps {
  title: string;
  lead: ComponentChildren;
  children: ComponentChildren;
}

export function Door({ title, lead, children }: DoorProps) {
  const spoken = useCell(language);
  useEffect(() => {
    document.title = `${title} · Sluice`;
  }, [title]);
  return (
    <main class="door">
      <header class="door-head">
        <Mark />
        <div class="door-languages">
          {languages.map((key) => (
            <button key={key} type="button" lang={key} class="link" aria-pressed={key === spoken} onClick={() => language.set(key)}>
              {languageNames[key]}
            </button>
          ))}
        </div>
      </header>
      <h1>{title}</h1>
      <p class="lead">{lead}</p>
      {children}
    </main>
  );
}
