import { patienceMs } from './patience.ts';

/** Clients of Node give up an answer whose head does not come within 300 s. */
const MOST_MS = 280_000;

/** The `timeout` of a held request that is to end by its outcome and not by its time, on a slow machine too. */
export const LONG_HOLD_MS = Math.min(patienceMs(20_000), MOST_MS);
