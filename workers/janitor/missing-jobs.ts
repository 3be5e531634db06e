import type { Logger } from '../../src/telemetry/log.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadSets } from '../../src/queue/upload-sets.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

/** Younger ones may be on their way from record to job this very moment. */
const LEAST_AGE_MS = 5_000;

/** As many are compared in one go, so that Redis is not held up. */
const BATCH = 500;

/**
 * As many of the uploads that came since the last sweep are compared, and as many of the others in turn: a sweep costs the
 * same however many wait.
 */
const MOST_PER_SWEEP = 2_000;

/** What the jobs are compared with. */
export interface MissingJobParts {
  sets: Pick<UploadSets, 'waitingToCompare' | 'strikeOut'>;
  queue: Pick<UploadQueue, 'add' | 'withoutJob'>;
  log: Logger;
}

/**
 * Makes the set of waiting uploads and BullMQ's jobs agree again. The record leads: an upload that waits without a job,
 * since a process died between the two, gets one; one that does not wait by its record is none of the set.
 */
export async function addMissingJobs({ sets, queue, log }: MissingJobParts): Promise<void> {
  const waiting = await sets.waitingToCompare(LEAST_AGE_MS, MOST_PER_SWEEP);
  for (let start = 0; start < waiting.length; start += BATCH) {
    const ids = waiting.slice(start, start + BATCH);
    const struck = await sets.strikeOut(ids);
    for (const uploadId of struck)
      log.warn({ upload: uploadRef(uploadId) }, 'did not wait, taken out of the waiting set');
    // A job that is there already would stay as it is, but be told of as an event each time.
    for (const id of await queue.withoutJob(ids.filter((one) => !struck.includes(one)))) await queue.add(id);
  }
}
