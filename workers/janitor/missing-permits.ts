import type { Logger } from '../../src/telemetry/log.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadSets } from '../../src/queue/upload-sets.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

/** The number of uploads that one Redis command compares. Larger batches would block Redis. */
const BATCH = 500;

/** One sweep compares this many uploads in turn, so its cost does not depend on the length of the queue. */
const MOST_PER_SWEEP = 2_000;

/** The parts that `addMissingPermits` works with. */
export interface PermitParts {
  sets: Pick<UploadSets, 'audit' | 'missingPermits'>;
  queue: Pick<UploadQueue, 'addMany'>;
  log: Logger;
}

/**
 * Makes waiting uploads, records and permits agree. An id whose record does not wait is removed from the waiting set.
 * Then each kind gets as many permits as it has uploads that may be taken: a process died before it could add one, or
 * a pause is over. A permit too many does no harm, because the worker that gets it finds no upload.
 */
export async function addMissingPermits({ sets, queue, log }: PermitParts): Promise<void> {
  for (let compared = 0; compared < MOST_PER_SWEEP; compared += BATCH) {
    const { removed, isMore } = await sets.audit(BATCH);
    for (const id of removed) log.warn({ upload: uploadRef(id) }, 'stale upload removed from the waiting set');
    if (!isMore) break;
  }
  for (const [kind, count] of await sets.missingPermits()) await queue.addMany(kind, count);
}
