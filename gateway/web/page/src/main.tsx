/** The page's start: words, colours, who is here. */
import { render } from 'preact';
import { loadSession } from './api/session';
import { Page } from './app/page';
import { followTheme } from './app/theme';
import { speak } from './lib/text';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/parts.css';
import './styles/shell.css';

followTheme();
void Promise.all([speak(), loadSession().catch(() => {})]).then(() => {
  render(<Page />, document.getElementById('page')!);
});
