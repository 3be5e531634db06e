import { ServiceError } from '../errors.ts';
import type { ReadRecord } from '../record/read-record.ts';
import type { UploadRecords } from '../record/record.ts';
import { readExisting } from '../record/read-existing.ts';

/** An upload that a request has sent and that is stored. Later failures do not concern the client of the request. */
export interface ReceivedUpload {
  readonly id: string;
  /** The record when the request last read or changed it. */
  readonly known: ReadRecord;
  /** True if the answer may be `known`, because this request has not changed the record since. */
  readonly isCurrent: boolean;
}

/** Returns the upload for an immediate answer. If it cannot be read, returns `known`. */
export async function readReceived(
  records: Pick<UploadRecords, 'read'>,
  { id, known, isCurrent }: ReceivedUpload,
): Promise<ReadRecord> {
  if (isCurrent) return known;
  return await readExisting(records, id).catch((error: unknown) => {
    if (error instanceof ServiceError) return known;
    throw error;
  });
}
