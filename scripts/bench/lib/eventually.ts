import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;
const DEADLINE_MS = 30_000;

/** Reads until `read` returns `wanted`. Throws an error with `what` after 30 s. */
export async function untilEqual(what: string, wanted: number, read: () => Promise<number>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (let value = await read(); value !== wanted; value = await read()) {
    if (performance.now() > deadline) throw new Error(`${what}: ${value} in place of ${wanted}`);
    await delay(POLL_MS);
  }
}
