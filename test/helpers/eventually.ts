import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 10;

/**
 * Resolves with the first value of `look` that is not undefined or false. Rejects after
 * `withinMs`, naming `what` was waited for.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await delay(POLL_MS);
  }
}
