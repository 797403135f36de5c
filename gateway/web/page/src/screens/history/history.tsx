/** The journal, looked back into: everything as it was at one moment, or what happened over a time. */
import type { ScreenArguments } from '../../app/screens';
import { link } from '../../app/router';
import { t } from '../../lib/text';
import { Screen } from '../../parts/screen';
import { Events } from './events';
import { Moment } from './moment';

export function History({ rest }: ScreenArguments) {
  const events = rest[0] === 'events';
  return (
    <Screen title={t('nav.history')} lead={t(events ? 'history.events.lead' : 'history.moment.lead')}
      aside={(
        <nav class="segments" aria-label={t('nav.history')}>
          <a href={link('history')} aria-current={events ? undefined : 'page'}>{t('history.moment')}</a>
          <a href={link('history', 'events')} aria-current={events ? 'page' : undefined}>{t('history.events')}</a>
        </nav>
      )}>
      {events ? <Events /> : <Moment />}
    </Screen>
  );
}
