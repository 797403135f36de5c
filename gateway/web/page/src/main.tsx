/** The page's start: words, colours, who is here. */
import { render } from 'preact';
import { loadSession } from './api/session';
import { keepFocus } from './app/focus';
import { Page } from './app/page';
import { followTheme } from './app/theme';
import { speak } from './lib/text';
import { Guard } from './parts/guard';
import './styles/index.css';

followTheme();
keepFocus();
void Promise.all([speak(), loadSession().catch(() => {})]).then(() => {
  render(<Guard><Page /></Guard>, document.getElementById('page')!);
});
