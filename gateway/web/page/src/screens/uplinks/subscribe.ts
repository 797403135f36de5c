/** With what somebody elsewhere sees what arrives at a broker. */

export interface Reached {
  url: string;
  /** Under which topic all of it is received. */
  topic: string;
  ca?: unknown;
  cert?: unknown;
  user?: string;
}

/** As the gateway reads it: a host has neither a blank nor an @, and one with colons stands in brackets. */
const BROKER = /^mqtt(s?):\/\/(?:\[([^\s@\]]+)\]|([^\s@:/?#[][^\s@:/?#]*))(?::(\d{1,5}))?\/?$/;
const PORT_MAX = 65_535;

/** What an address of a broker is made of; null where it is none, or not yet. */
export function brokerAt(url: string): { host: string; port: number; tls: boolean } | null {
  const [, s, address, name, digits] = BROKER.exec(url) ?? [];
  const tls = !!s, host = address ?? name, port = Number(digits ?? (tls ? 8883 : 1883));
  return host && port && port <= PORT_MAX ? { host, port, tls } : null;
}

/** What a shell takes as one word. */
const quoted = (word: string): string => `'${word.replace(/'/g, `'\\''`)}'`;

/**
 * What one subscribes with in order to see it arrive, on another machine: with files of one's own where the broker asks
 * for them, as the gateway's key is never given out. Nothing where there is no such broker.
 */
export function subscribeCommand({ url, topic, ca, cert, user }: Reached): string {
  const broker = brokerAt(url);
  if (!broker) return '';
  const { host, port, tls } = broker;
  const trust = tls ? (ca ? ' --cafile ca.pem' : ' --capath /etc/ssl/certs') : '';
  const own = tls && cert ? ' --cert client.pem --key client.key' : '';
  const login = user ? ` -u ${quoted(user)} -P 'PASSWORD'` : '';
  return `mosquitto_sub -h ${/^[\w.:-]+$/.test(host) ? host : quoted(host)} -p ${port}${trust}${own}${login} -v -t ${quoted(topic)}`;
}
