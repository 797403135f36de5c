/** All that is said in English, in one file for the browser; of the gateway's own sentences those that the page says otherwise. */
import texts from '../texts/en.json';
import said from '../texts/said.en.json';
import type { Phrases } from './phrases';

const packed = said as unknown as Phrases; // build.mjs packs it
export { texts, packed as said };
