/** The BullMQ queue of the handler that waits for jobs. It is not the queue of the service. */
export const JOB_QUEUE = { name: 'jobs', prefix: '{bench-jobs}' } as const;

/** The queue of `deferred-uploads/jobs`. Its worker must not take the jobs of the other peer. */
export const HELD_JOB_QUEUE = { name: 'jobs', prefix: '{bench-held-jobs}' } as const;

/** The queue of jobs that report progress. Its workers must not take other jobs. */
export const PROGRESS_QUEUE = { name: 'progress', prefix: '{bench-progress}' } as const;

/** Returns the id of the job whose end brings an upload to a version. Ids contain no colon. */
export function jobId(id: string, version: number): string {
  return `${id}-${version}`;
}
