/** What goes to the broker, by the newest readings: topics, payloads, and how to see them arrive. */
import { useEffect, useState } from 'preact/hooks';
import { get, query } from '../../api/client';
import { t } from '../../lib/text';
import { Command } from '../../parts/command';
import { Panel } from '../../parts/panel';
import { subscribeCommand, type Reached } from './subscribe';

interface Answer {
  messages: { topic: string; retained: boolean; payload: string }[];
  subscribe: string;
}

interface PreviewProps extends Omit<Reached, 'topic'> {
  id: string;
  layout: string;
  root?: string;
}

const SETTLED_MS = 300;

export function usePreview(id: string, layout: string, root: string | undefined): Answer | null {
  const [answer, setAnswer] = useState<Answer | null>(null);
  useEffect(() => {
    const ending = new AbortController();
    const timer = setTimeout(() => void get<Answer>(`/uplinks/${encodeURIComponent(id || 'cloud')}/preview` + query({ layout, root: root || undefined }), ending.signal).then(setAnswer, () => {}), SETTLED_MS);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [id, layout, root]);
  return answer;
}

export function Preview({ id, layout, root, ...reached }: PreviewProps) {
  const answer = usePreview(id, layout, root);
  const command = answer && subscribeCommand({ ...reached, topic: answer.subscribe });
  return (
    <Panel title={t('preview.title')}>
      {answer && !answer.messages.length && <p class="quiet-line">{t('preview.none')}</p>}
      <ul class="preview">
        {answer?.messages.map((message) => (
          <li key={message.topic}>
            <p><code>{message.topic}</code>{message.retained && <span class="fact-what">{t('preview.retained')}</span>}</p>
            <pre tabIndex={0}>{message.payload}</pre>
          </li>
        ))}
      </ul>
      {command && (
        <>
          <p class="hint">{t('preview.subscribe')}</p>
          <Command text={command} />
        </>
      )}
    </Panel>
  );
}
