/** A sentence of the gateway; one that is not known in the page's language is read out as the English that it is. */
import { phrase } from '../lib/phrases';
import { said } from '../lib/text';

export function Said({ text = '' }: { text?: string }) {
  return <span lang={phrase(text.trim()) === null ? 'en' : undefined}>{said(text)}</span>;
}
