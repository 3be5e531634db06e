import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadSets } from '../../src/queue/upload-sets.ts';

/** Younger ones may be on their way from record to job this very moment. */
const LEAST_AGE_MS = 5_000;

/** What the jobs are compared with. */
export interface MissingJobParts {
  sets: Pick<UploadSets, 'waitingBefore'>;
  queue: Pick<UploadQueue, 'add'>;
}

/**
 * Adds the jobs of uploads that wait without one: the record leads, and a process may have died between
 * the two. Adding a job that is there does nothing.
 */
export async function addMissingJobs({ sets, queue }: MissingJobParts): Promise<void> {
  for (const id of await sets.waitingBefore(Date.now() - LEAST_AGE_MS)) await queue.add(id);
}
