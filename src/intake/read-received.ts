import { ServiceError } from '../errors.ts';
import type { ReadRecord } from '../record/read-record.ts';
import type { UploadRecords } from '../record/record.ts';
import { readExisting } from '../record/watch.ts';

/** An upload that a request has sent: it is stored, and nothing that fails from here on is the sender's concern. */
export interface ReceivedUpload {
  readonly id: string;
  /** The record as the request saw it last. */
  readonly known: ReadRecord;
  /** True if `known` is the answer as it stands: nothing of this request may have changed it since. */
  readonly isCurrent: boolean;
}

/** The upload for an answer at once. If it cannot be read it is answered as it is known. */
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
