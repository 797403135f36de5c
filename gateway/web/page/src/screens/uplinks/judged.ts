/** How it stands with a certificate or key that was dropped, and what to do about it. */
import { gatewayNow } from '../../lib/clock';
import { said, t } from '../../lib/text';
import type { Level } from '../../parts/state';

export interface Inspected {
  kind: string;
  subject?: string;
  issuer?: string;
  from?: number;
  until?: number;
  sentence?: string;
}

const SOON_MS = 30 * 86_400_000;

export function judged({ until, from, issuer, subject, sentence }: Inspected, now = gatewayNow()): [Level, string] {
  if (!until) return ['up', said(sentence ?? '')];
  if (until < now) return ['down', t('drop.expired')];
  if (from && from > now) return ['look', t('drop.early')];
  if (until < now + SOON_MS) return ['look', t('drop.soon')];
  return ['up', issuer && issuer !== subject ? t('drop.issuer', { issuer }) : t('drop.own')];
}
