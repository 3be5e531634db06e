import { rejectionToError } from '../../intake/receive-progress.ts';
import type { UploadRecords } from '../../record/record.ts';
import type { DirectParts, StoredPart } from '../../storage/direct-parts.ts';
import { bucketUpload } from './join-parts.ts';
import type { DirectUploadRecord } from './part-plan.ts';

/** Returns the bytes of the parts, at most the size of the file. */
export function storedBytes({ totalBytes }: DirectUploadRecord, stored: readonly StoredPart[]): number {
  const bytes = stored.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return Math.min(totalBytes, bytes);
}

/**
 * Lists the parts that the bucket has, and reports their bytes to the record if there are more than before. Undefined
 * if the multipart upload was completed or aborted. Throws if the upload has ended meanwhile.
 */
export async function readStored(
  { records, direct }: { records: UploadRecords; direct: DirectParts },
  record: DirectUploadRecord,
): Promise<StoredPart[] | undefined> {
  const stored = await direct.list(bucketUpload(record));
  const bytes = storedBytes(record, stored ?? []);
  if (bytes <= record.receivedBytes) return stored;
  const outcome = await records.receive(record.id, record.fencingToken, bytes, record.totalBytes);
  if (!outcome.applied) throw rejectionToError(outcome);
  return stored;
}
