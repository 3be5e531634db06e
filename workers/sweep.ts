import type { Logger } from '../src/log.ts';
import type { Redis } from '../src/queue/connection.ts';
import type { QueueKeys } from '../src/queue/contract.ts';
import type { UploadQueue } from '../src/queue/upload-queue.ts';

const PERIOD_MS = 15_000;

/** Younger ones may be on their way from record to job this very moment. */
const LEAST_AGE_MS = 5_000;

/** What the sweep needs. */
export interface SweepParts {
  connection: Redis;
  keys: QueueKeys;
  queue: Pick<UploadQueue, 'add'>;
  log: Logger;
}

/**
 * Adds the jobs of uploads that wait without one, at once and then every 15 seconds: the record leads,
 * and a process may have died between the two. Adding a job that is there does nothing. Returns the stop.
 */
export function startSweep(parts: SweepParts): () => void {
  const sweep = () => {
    addMissingJobs(parts).catch((error: unknown) => parts.log.warn({ err: error }, 'sweep failed'));
  };
  const timer = setInterval(sweep, PERIOD_MS);
  sweep();
  return () => clearInterval(timer);
}

/** One pass. */
export async function addMissingJobs({ connection, keys, queue }: SweepParts): Promise<void> {
  const waiting = await connection.zrangebyscore(keys.waiting, 0, Date.now() - LEAST_AGE_MS);
  for (const id of waiting) await queue.add(id);
}
