/** Passwords are files beside the configuration, which has their names. */
import { ask } from './client';

export const secretOf = (id: string): string => `${id}.password`;

export async function keepSecret(name: string, secret: string): Promise<void> {
  await ask(`/files/${encodeURIComponent(name)}?as=password`, { method: 'PUT', body: secret, headers: { 'Content-Type': 'application/octet-stream' } });
}
