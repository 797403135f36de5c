/** All that is said in German, in one file for the browser: what is alike in both is packed once. */
import texts from '../texts/de.json';
import said from '../texts/said.de.json';
import type { Phrases } from './phrases';

const packed = said as unknown as Phrases; // build.mjs packs it
export { texts, packed as said };
