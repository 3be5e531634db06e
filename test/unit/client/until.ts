import { setTimeout as delay } from 'node:timers/promises';
import { patienceMs } from '../../helpers/patience.ts';

/**
 * The interval of the checks. A phase of a client may last only a few milliseconds, less than the pauses of
 * `eventually`.
 */
const POLL_MS = 2;
const WITHIN_MS = 10_000;

/** Resolves as soon as the condition holds; rejects after a deadline. */
export async function until(condition: () => boolean): Promise<void> {
  const limitMs = patienceMs(WITHIN_MS);
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline)
      throw new Error(`waited ${limitMs} ms without success for ${condition.toString()}`);
    await delay(POLL_MS);
  }
}
