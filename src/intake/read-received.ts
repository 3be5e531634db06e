import { ServiceError } from '../errors.ts';
import type { ReadRecord } from '../record/read-record.ts';
import type { UploadRecords } from '../record/record.ts';
import { readExisting } from '../record/watch.ts';
import { refusalToError } from './receive-progress.ts';

/** An upload that a request has sent. */
export interface ReceivedUpload {
  readonly id: string;
  /** As the change left it that queued it; undefined where something may have come since, or it was queued before. */
  readonly queued?: ReadRecord;
}

/**
 * What is to be told of it at once. Throws `upload_gone` (410) where it was deleted meanwhile, and
 * `service_unavailable` (503) where Redis has lost the record of a moment ago, which was told to nobody.
 */
export async function readReceived(
  records: Pick<UploadRecords, 'read'>,
  { id, queued }: ReceivedUpload,
): Promise<ReadRecord> {
  if (queued !== undefined) return queued;
  return await readExisting(records, id).catch((error: unknown) => {
    if (!(error instanceof ServiceError) || error.code !== 'unknown_upload') throw error;
    throw refusalToError({ made: false, refusal: 'missing', record: undefined });
  });
}
