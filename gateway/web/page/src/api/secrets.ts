/** Passwords are files beside the configuration, which has their names. */
import { sendFile } from './client';

export const secretOf = (id: string): string => `${id}.password`;

export const keepSecret = (name: string, secret: string): Promise<unknown> => sendFile('PUT', `/files/${encodeURIComponent(name)}?as=password`, secret);
