/** Says what happened, why, and what to do next; and what to do first where there is nothing yet. */
import type { ComponentChildren } from 'preact';
import { Refusal } from '../api/client';
import { sentence } from '../lib/text';
import { Shape, type Level } from './state';

interface NoticeProps {
  level: Level;
  /** What happened. */
  title: ComponentChildren;
  /** Why. */
  why?: ComponentChildren;
  /** The next step. */
  next?: ComponentChildren;
  children?: ComponentChildren;
}

export function Notice({ level, title, why, next, children }: NoticeProps) {
  return (
    <div class={`notice notice-${level}`}>
      <Shape level={level} />
      <div>
        <p class="notice-title">{title}</p>
        {why && <p>{next && typeof why === 'string' ? sentence(why) : why}</p>}
        {next && <p class="notice-next">{next}</p>}
        {children}
      </div>
    </div>
  );
}

/** What a request was refused with. Read out at once. */
export function Problem({ error }: { error: unknown }) {
  if (!error) return null;
  const refusal = error instanceof Refusal ? error : new Refusal(0, String(error));
  return (
    <div role="alert">
      <Notice level="down" title={refusal.sentence} next={refusal.next} />
    </div>
  );
}

export function Empty({ title, next, children }: { title: string; next: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      <p>{next}</p>
      {children && <div class="actions">{children}</div>}
    </div>
  );
}
