import type { UploadRecords } from './record.ts';

/** What the jobs are compared with. */
export interface EndedJobParts {
  records: Pick<UploadRecords, 'read'>;
  queue: { add(id: string): Promise<void>; remove(id: string): Promise<void> };
}

/**
 * Removes the job of an upload that was ended while it waited. Whoever heard of the end may have sent the file
 * again under the same id meanwhile; a job of the new life that was taken for the old one is put back.
 */
export async function removeEndedJob({ records, queue }: EndedJobParts, id: string): Promise<void> {
  await queue.remove(id);
  if ((await records.read(id))?.record.state === 'queued') await queue.add(id);
}
