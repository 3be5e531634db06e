import { ServiceError } from '../errors.ts';
import { isExpired, isGone } from './record-fields.ts';
import { hasResult, type ReadProgress, type ReadRecord, type ReadWithResult } from './read-record.ts';
import type { UploadRecords } from './record.ts';

/** Reads an upload that must exist. Throws `unknown_upload` (404) or `upload_gone` (410). */
export async function readExisting(records: Pick<UploadRecords, 'read'>, id: string): Promise<ReadRecord> {
  return requireExisting(id, await records.read(id));
}

/** Like `readExisting`, with the result. */
export async function readExistingWithResult(
  records: Pick<UploadRecords, 'readWithResult'>,
  id: string,
): Promise<ReadWithResult> {
  return requireExisting(id, await records.readWithResult(id));
}

/** Returns the record with its result. Reads it again only if it was read without a large result. */
export async function completeRead(
  records: Pick<UploadRecords, 'readWithResult'>,
  read: ReadRecord,
): Promise<ReadWithResult> {
  return hasResult(read) ? read : await readExistingWithResult(records, read.record.id);
}

function requireExisting<Read extends ReadRecord>(id: string, read: Read | undefined): Read {
  if (read === undefined) throw unknownUpload(id);
  refuseGone(id, read.record, read.nowMs);
  return read;
}

/** False if nobody has used the id, and if its upload was deleted or has expired. */
export async function hasUpload(records: Pick<UploadRecords, 'readProgress'>, id: string): Promise<boolean> {
  const read = await records.readProgress(id);
  return read !== undefined && !isGone({ deleted: read.state.deleted, expiresAtMs: read.expiresAtMs }, read.nowMs);
}

/** Like `readExisting`, but only the fields that progress is computed from. */
export async function readExistingProgress(
  records: Pick<UploadRecords, 'readProgress'>,
  id: string,
): Promise<ReadProgress> {
  const read = await readAwaitedProgress(records, id);
  if (read === undefined) throw unknownUpload(id);
  return read;
}

/**
 * Reads the progress of an upload that may not have begun. Undefined if nobody has used the id yet. Throws
 * `upload_gone` (410).
 */
export async function readAwaitedProgress(
  records: Pick<UploadRecords, 'readProgress'>,
  id: string,
): Promise<ReadProgress | undefined> {
  const read = await records.readProgress(id);
  if (read !== undefined) refuseGone(id, { deleted: read.state.deleted, expiresAtMs: read.expiresAtMs }, read.nowMs);
  return read;
}

/** True if a client has seen version 0: it waits for an upload that may not have begun. Versions begin at 1. */
export function awaitsBeginning(seenVersions: readonly (number | undefined)[]): boolean {
  return seenVersions.length === 1 && seenVersions[0] === 0;
}

/**
 * Reads an upload that existed before: if it was deleted, that is its last state. Throws `unknown_upload` (404) if
 * nothing is left.
 */
export async function readWatchedProgress(
  records: Pick<UploadRecords, 'readProgress'>,
  id: string,
): Promise<ReadProgress> {
  const read = await records.readProgress(id);
  if (read === undefined) throw unknownUpload(id);
  return read;
}

/** Returns the error for an id that nobody has used (404). */
export function unknownUpload(id: string): ServiceError {
  return new ServiceError('unknown_upload', 'There is no upload with this id. Check the id, or send the file.', { id });
}

function refuseGone(
  id: string,
  { deleted, expiresAtMs }: { deleted: boolean; expiresAtMs: number | null },
  nowMs: number,
): void {
  if (deleted)
    throw new ServiceError(
      'upload_gone',
      'This upload was deleted. Send the file with a new id if you still need it.',
      { id },
    );
  if (!isExpired({ expiresAtMs }, nowMs)) return;
  throw new ServiceError(
    'upload_gone',
    'This upload has expired and was removed. Send the file with a new id if you still need it.',
    { id },
  );
}
