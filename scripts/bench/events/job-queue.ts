/** The BullMQ queue of the handler that waits for jobs, apart from that of the service. */
export const JOB_QUEUE = { name: 'jobs', prefix: '{bench-jobs}' } as const;

/** The job whose end brings the upload in a slot to a version; ids hold no colon. */
export function jobId(id: string, version: number): string {
  return `${id}-${version}`;
}
