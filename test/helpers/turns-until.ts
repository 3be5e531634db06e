import { setImmediate as turn } from 'node:timers/promises';
import { patienceMs } from './patience.ts';

/**
 * Resolves as soon as `isTrue` holds, and looks after every turn of the event loop: for tests whose next step must follow at
 * once, or whose clock is not the system's. Everywhere else use `eventually`, which leaves the processor to others. Rejects when
 * the deadline is over, naming `what` was waited for. `withinMs` counts for a quiet machine and is scaled to this one;
 * default 20 s.
 */
export async function turnsUntil(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const limitMs = patienceMs(withinMs);
  const deadline = performance.now() + limitMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await turn();
  }
}
