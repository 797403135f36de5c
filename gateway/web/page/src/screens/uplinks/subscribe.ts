/** With what somebody elsewhere sees what arrives at a broker. */

export interface Reached {
  url: string;
  /** Under which topic all of it is received. */
  topic: string;
  ca?: unknown;
  cert?: unknown;
  user?: string;
}

/** What a shell takes as one word. */
const quoted = (word: string): string => `'${word.replace(/'/g, `'\\''`)}'`;

/**
 * What one subscribes with in order to see it arrive, on another machine: with files of one's own where the broker asks
 * for them, as the gateway's key is never given out.
 */
export function subscribeCommand({ url, topic, ca, cert, user }: Reached): string {
  const { hostname, port, protocol } = new URL(url.replace(/^mqtts?/, (scheme) => (scheme === 'mqtts' ? 'https' : 'http')));
  const tls = protocol === 'https:';
  const trust = tls ? (ca ? ' --cafile ca.pem' : ' --capath /etc/ssl/certs') : '';
  const own = tls && cert ? ' --cert client.pem --key client.key' : '';
  const login = user ? ` -u ${quoted(user)} -P 'PASSWORD'` : '';
  return `mosquitto_sub -h ${hostname} -p ${port || (tls ? 8883 : 1883)}${trust}${own}${login} -v -t ${quoted(topic)}`;
}
