/** The BullMQ queue of the handler that waits for jobs, apart from that of the service. */
export const JOB_QUEUE = { name: 'jobs', prefix: '{bench-jobs}' } as const;

/** Of jobs that tell of their progress, whose workers are not to take the others. */
export const TOLD_QUEUE = { name: 'told', prefix: '{bench-told}' } as const;

/** The job whose end brings the upload in a slot to a version; ids hold no colon. */
export function jobId(id: string, version: number): string {
  return `${id}-${version}`;
}
