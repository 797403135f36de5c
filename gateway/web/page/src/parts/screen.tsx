/** The frame of a screen: its heading, which takes the focus when one comes to it, and what can be done here. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { toDepth } from '../app/router';

interface ScreenProps {
  title: string;
  /** Above the title: where this is part of. */
  above?: ComponentChildren;
  /** Beside the title: the state, or what can be done. */
  aside?: ComponentChildren;
  /** One sentence on what is to be seen. */
  lead?: ComponentChildren;
  children: ComponentChildren;
}

export function Screen({ title, above, aside, lead, children }: ScreenProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Sluice`;
  }, [title]);
  useLayoutEffect(() => {
    // The first screen leaves the focus where the browser put it.
    if (document.activeElement && document.activeElement !== document.body) heading.current?.focus({ preventScroll: true });
    toDepth();
  }, []);
  return (
    <div class="screen">
      <header class="screen-head">
        <div class="screen-title">
          {above && <p class="above">{above}</p>}
          <h1 ref={heading} tabIndex={-1}>{title}</h1>
          {lead && <p class="lead">{lead}</p>}
        </div>
        {aside && <div class="screen-aside">{aside}</div>}
      </header>
      {children}
    </div>
  );
}
