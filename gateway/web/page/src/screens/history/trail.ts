/** The audit trail in words: an event's "did=login by=anna from=192.168.7.20" as a sentence. */
import { wordsOf } from '../../api/audit';
import { dateTime, number } from '../../lib/format';
import { t, told, type TextKey } from '../../lib/text';

/** What is said of it besides: "role owner, keys gateway.name"; of a clock the time that it got. */
const besides = ({ did, t: at, ...words }: Record<string, string>): string =>
  [...(at ? [did === 'clock-set' ? dateTime(Number(at)) : `t ${at}`] : []), ...Object.entries(words).filter(([key]) => !['by', 'from'].includes(key)).map(([key, value]) => `${key} ${value}`)].join(', ');

/** What somebody pressed for it. */
const jobs: Record<string, TextKey> = {
  scan: 'add.scan', probe: 'test.do', read: 'explorer.read', assign: 'assign.title', doctor: 'doctor.start', drill: 'drill.title', trace: 'trace.title', node: 'node.title',
};

/** A job by its line, "scan --json … -- 10.0.7.20", or "node-update -- node" of one that a program told of: what it does, and to whom. */
function jobInWords(line: string): [what: string, to: string] {
  const [kind = ''] = line.split(/[ -]/), [, to = ''] = / -- (\S+)$/.exec(line) ?? [], pressed = jobs[kind];
  return [`${t('did.job-started')}: ${pressed ? t(pressed) : kind}`, to];
}

/** What was learnt of a device or a line, as far as there are words for it. */
export function learntInWords(text: string): string {
  const { answers_us: answers, ...words } = wordsOf(text);
  const identity = Object.entries(words).filter(([key]) => /^id\.(?!none)/.test(key)).map(([, value]) => value);
  return [answers && t('event.learnt.answers', { ms: number(Number(answers) / 1000, 1) }), identity.length > 0 && t('event.learnt.identity', { what: identity.join(' ') })].filter(Boolean).join('; ') || t('event.learnt');
}

/** A config event of the gateway itself: who did what; or the configuration that is in force from then on, by its fingerprint. */
export function trailInWords(text: string): string {
  const words = wordsOf(text);
  if (!words.did) return t('did.applied', { fingerprint: text });
  const [what, more] = words.job ? jobInWords(words.job) : [told(`did.${words.did}`, words.did), besides(words)];
  return t(words.from && words.from !== 'socket' ? 'did.from' : 'did.here', { by: words.by ?? '', from: words.from ?? '', what: more ? `${what} (${more})` : what });
}
