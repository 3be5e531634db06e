import { setTimeout as delay } from 'node:timers/promises';
import { patienceMs } from './patience.ts';

/** The pause between two calls grows with the time waited, because each call takes processor time from the service. */
const [LEAST_PAUSE_MS, MOST_PAUSE_MS, SHARE_OF_WAIT] = [10, 50, 0.05];

/**
 * Resolves with the first value of `read` that is not undefined or false. Rejects after the deadline with an error that
 * names `what`. `withinMs` is the deadline of a quiet machine and is scaled to this one; default 20 s.
 */
export async function eventually<T>(
  what: string,
  read: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 20_000,
): Promise<T> {
  const limitMs = patienceMs(withinMs);
  const startMs = performance.now();
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    const waitedMs = performance.now() - startMs;
    if (waitedMs > limitMs) throw new Error(`waited ${limitMs} ms without success for ${what}`);
    await delay(Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, waitedMs * SHARE_OF_WAIT)));
  }
}
