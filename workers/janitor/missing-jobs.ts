import type { Logger } from '../../src/telemetry/log.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadSets } from '../../src/queue/upload-sets.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

/** A younger upload may still be between the change of its record and the creation of its job. */
const LEAST_AGE_MS = 5_000;

/** The number of uploads that one Redis command compares. Larger batches would block Redis. */
const BATCH = 500;

/**
 * One sweep compares this many uploads queued since the last sweep, and this many older ones in turn. The cost of a
 * sweep therefore does not depend on the length of the queue.
 */
const MOST_PER_SWEEP = 2_000;

/** What `addMissingJobs` works with. */
export interface MissingJobParts {
  sets: Pick<UploadSets, 'waitingToCompare' | 'strikeOut'>;
  queue: Pick<UploadQueue, 'add' | 'withoutJob'>;
  log: Logger;
}

/**
 * Makes the set of waiting uploads and BullMQ's jobs agree. An upload that waits without a job gets one: a process died
 * between the two steps. An id whose record does not wait is removed from the set. The record is always right.
 */
export async function addMissingJobs({ sets, queue, log }: MissingJobParts): Promise<void> {
  const waiting = await sets.waitingToCompare(LEAST_AGE_MS, MOST_PER_SWEEP);
  for (let start = 0; start < waiting.length; start += BATCH) {
    const ids = waiting.slice(start, start + BATCH);
    const struck = await sets.strikeOut(ids);
    for (const uploadId of struck)
      log.warn({ upload: uploadRef(uploadId) }, 'stale upload removed from the waiting set');
    // Adding a job that exists changes nothing, but BullMQ would publish an event for it.
    for (const id of await queue.withoutJob(ids.filter((one) => !struck.includes(one)))) await queue.add(id);
  }
}
