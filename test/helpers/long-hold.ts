import { patienceMs } from './patience.ts';

/** `fetch` of Node fails if the headers of an answer do not arrive within 300 s. */
const MOST_MS = 280_000;

/** `timeout` of a held request that must end by its outcome and not by its time, even on a slow machine. */
export const LONG_HOLD_MS = Math.min(patienceMs(20_000), MOST_MS);
