/** Whether the window is as narrow as a phone: the width from which on the frame has a rail. */
import { cell } from './cell';

const query = matchMedia('(max-width: 899px)');

export const narrow = cell(query.matches);

query.addEventListener('change', () => narrow.set(query.matches));
