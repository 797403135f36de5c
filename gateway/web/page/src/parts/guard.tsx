/** What is drawn within it may fail: that is told in its place, and all around it goes on. */
import { Component } from 'preact';
import { t } from '../lib/text';
import { Problem } from './notice';
import { Screen } from './screen';

export class Guard extends Component<object, { error?: unknown }> {
  override componentDidCatch(error: unknown): void {
    this.setState({ error });
    // For whoever looks into the browser's console.
    setTimeout(() => {
      throw error;
    });
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Screen title={t('error.drawn')}>
        <Problem error={error} />
        <div class="actions"><button class="button" type="button" onClick={() => location.reload()}>{t('error.drawn.do')}</button></div>
      </Screen>
    );
  }
}
