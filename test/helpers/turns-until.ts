import { setImmediate as turn } from 'node:timers/promises';
import { patienceMs } from './patience.ts';

/**
 * Resolves as soon as `isTrue` returns true, which it checks in every turn of the event loop. Use it if the next step
 * must follow at once, or if the clock is not that of the system. Otherwise use `eventually`, which leaves the
 * processor to other processes. Rejects after the deadline with an error that names `what`. `withinMs` is the deadline
 * of a quiet machine and is scaled to this one; default 20 s.
 */
export async function turnsUntil(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const limitMs = patienceMs(withinMs);
  const deadline = performance.now() + limitMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms without success for ${what}`);
    await turn();
  }
}
