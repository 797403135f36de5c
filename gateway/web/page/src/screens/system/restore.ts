/** What is asked of the gateway to have a file brought back: a backup or a template as the document that it is, a configuration as its text. */

export interface Restored {
  /** Null where the configuration is the one in force. */
  change: string | null;
  accounts: boolean;
  secrets_left_out: boolean;
}

const BACKUP = 'sluice-backup', TEMPLATE = 'sluice-template';

/** Not all templates are JSON to the letter: comments are allowed in a configuration. */
function documentOf(text: string): Record<string, unknown> | null {
  try {
    const read: unknown = JSON.parse(text);
    return read !== null && typeof read === 'object' ? (read as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function restoreBody(text: string, passphrase: string): Record<string, unknown> {
  const document = documentOf(text);
  if (document?.kind !== BACKUP) return { template: document?.kind === TEMPLATE ? document : text };
  return { backup: document, ...(passphrase && { passphrase }) };
}
