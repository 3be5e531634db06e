import { setTimeout as delay } from 'node:timers/promises';
import { patienceMs } from './patience.ts';

const POLL_MS = 10;

/**
 * Resolves with the first value of `look` that is not undefined or false. Rejects after the deadline with an error that
 * names `what`. `withinMs` is the deadline of a quiet machine and is scaled to this one; default 20 s.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 20_000,
): Promise<T> {
  const limitMs = patienceMs(withinMs);
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms without success for ${what}`);
    await delay(POLL_MS);
  }
}
