import { ServiceError } from '../errors.ts';
import { withResult, type ReadRecord, type ReadWithResult } from '../record/read-record.ts';
import type { UploadRecords } from '../record/record.ts';
import { readExistingWithResult } from '../record/read-existing.ts';

/** An upload that a request has sent and that is stored. Later failures do not concern the client of the request. */
export interface ReceivedUpload {
  readonly id: string;
  /** The record when the request last read or changed it. */
  readonly known: ReadRecord;
  /** True if the answer may be `known`, because this request has not changed the record since. */
  readonly isCurrent: boolean;
}

/** Returns the upload for an immediate answer. If it cannot be read, returns `known`, without a large result. */
export async function readReceived(
  records: Pick<UploadRecords, 'readWithResult'>,
  { id, known, isCurrent }: ReceivedUpload,
): Promise<ReadWithResult> {
  if (isCurrent) return withResult(known, null);
  return await readExistingWithResult(records, id).catch((error: unknown) => {
    if (error instanceof ServiceError) return withResult(known, null);
    throw error;
  });
}
