import { createHash } from 'node:crypto';
import { ServiceError } from '../../errors.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import { emptyFile } from '../../intake/body.ts';
import { IncomingUpload } from '../../intake/incoming-upload.ts';
import { rawTypeOfStored } from '../../intake/raw-picture-watch.ts';
import { acceptFile, unsupportedType } from '../../intake/receive.ts';
import { rejectionToError } from '../../intake/receive-progress.ts';
import { SNIFF_BYTES } from '../../intake/sniff.ts';
import { recordOf } from '../../record/change-outcome.ts';
import type { FileKind, StoredUpload } from '../../record/open-record.ts';
import { manifestOfRecord } from '../../record/manifest-of-record.ts';
import type { UploadRecord } from '../../record/record-fields.ts';
import { originalKey } from '../../storage/keys.ts';
import { manifestObject } from '../../storage/manifest.ts';
import { commitWith, putObject, type SmallObject } from '../../storage/storage.ts';
import type { StoredPieces } from '../../storage/stored-pieces.ts';
import { UploadParts } from '../../storage/upload-parts.ts';
import { uploadRef } from '../../telemetry/upload-ref.ts';
import { endAfterError, type TusIntake } from './receive-part.ts';
import { optionsOf } from './tus-metadata.ts';

/** Files up to this size are hashed, and joined if necessary, by the request. That takes some milliseconds. */
const AT_ONCE_BYTES = 8 * 1024 * 1024;

/** Number of attempts. One fails if another request completes the same upload meanwhile and renames parts. */
const MOST_TRIES = 3;

/**
 * Queues an upload whose bytes are all stored. It does not read a large file: a worker joins its parts if they are not
 * one file, and computes its SHA-256. It can be called again if a process died during an earlier call, and by two
 * requests at once. Throws as `receivePart` does, and `queue_full` (503), `too_many_queued_by_address` or
 * `quota_exceeded` (429). The bytes stay for a retry, unless the file itself is at fault.
 * @param totalBytes default: that of the record.
 */
export async function finishUpload(
  intake: TusIntake,
  scope: RequestScope,
  record: UploadRecord,
  totalBytes = record.totalBytes,
): Promise<void> {
  const parts = new UploadParts(intake.storage, { ...record, totalBytes });
  const bytes = totalBytes ?? 0;
  const { tenant, limits } = record;
  const owner = tenant === null || limits === null ? undefined : { tenant, limits };
  await intake.admission.requireCapacity(scope.address, owner, bytes);
  let leftKeys: readonly string[];
  try {
    const current = { ...(await stillReceiving(intake, record)), totalBytes };
    const whole = await storeWhole(intake, parts, current);
    leftKeys = whole.leftKeys;
    await IncomingUpload.ofStored(intake, scope, current, whole.stored).enqueue();
  } catch (error) {
    throw await endAfterError(intake, scope, record, error, bytes);
  }
  await logged(scope, record, () => parts.remove(leftKeys));
}

/**
 * Removes the parts of an upload if a file was made of them. Never rejects: if it fails, the janitor removes them.
 */
export async function removeJoinedParts(
  { storage }: Pick<TusIntake, 'storage'>,
  scope: RequestScope,
  record: UploadRecord,
): Promise<void> {
  await logged(scope, record, () => new UploadParts(storage, record).removeJoined());
}

async function logged({ log }: RequestScope, { id }: UploadRecord, removal: () => Promise<void>): Promise<void> {
  await removal().catch((error: unknown) => log.warn({ err: error, upload: uploadRef(id) }, 'parts not removed'));
}

/**
 * Returns the record. It also notes that several requests have written the upload, so that the janitor looks for their
 * late files. Throws if the upload was ended or taken over.
 */
async function stillReceiving(intake: TusIntake, { id, fencingToken }: UploadRecord): Promise<UploadRecord> {
  const outcome = await intake.records.takeOver(id, fencingToken, fencingToken);
  if (!outcome.applied) throw rejectionToError(outcome);
  return recordOf(outcome);
}

/** The upload, and the parts that its file does not need any more. */
interface WholeUpload {
  stored: StoredUpload;
  leftKeys: readonly string[];
}

/** Makes the manifest durable, and also the file if that needs no copy of many bytes. */
async function storeWhole(intake: TusIntake, parts: UploadParts, record: UploadRecord): Promise<WholeUpload> {
  for (let tries = 1; ; tries += 1) {
    const found = await parts.stored();
    if (found.bytes !== record.totalBytes) throw new Error('bytes of a complete upload are missing');
    try {
      const pieces = await parts.readable(found);
      const kind = await kindOf(intake, parts, record, pieces);
      const sha256 = await digestOf(intake, parts, pieces);
      const stored = { ...kind, sizeBytes: pieces.bytes, sha256 };
      const manifest = manifestObject(manifestOfRecord(record, stored));
      const leftKeys = await storeFile(intake, parts, record, pieces, manifest);
      if (leftKeys !== undefined) return { stored, leftKeys };
    } catch (error) {
      // A `ServiceError` is a fault of file or storage. Any other error means that a part was renamed.
      if (error instanceof ServiceError || tries === MOST_TRIES) throw error;
    }
    if (tries === MOST_TRIES) throw new Error('the parts of the upload change all the time');
  }
}

/** Stores file and manifest. Returns the parts that are not needed any more. Undefined if another request won. */
async function storeFile(
  { storage }: TusIntake,
  parts: UploadParts,
  { id, fencingToken }: UploadRecord,
  { isJoined, sole, pieces, bytes, keys }: StoredPieces,
  manifest: SmallObject,
): Promise<readonly string[] | undefined> {
  const key = originalKey(id, fencingToken);
  if (!isJoined && sole !== undefined) {
    const isCompleted = await storage.growing?.complete(sole, key, manifest);
    return isCompleted === true ? keys.filter((other) => other !== sole.key) : undefined;
  }
  if (isJoined || bytes > AT_ONCE_BYTES) {
    await putObject(storage, manifest.key, manifest.bytes);
    return isJoined ? keys : [];
  }
  const writer = await storage.create(key);
  try {
    for await (const chunk of parts.read(pieces)) await writer.write(chunk);
    await commitWith(storage, writer, manifest);
    return keys;
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** Returns the type and options of the file. They are known since the first bytes, except for a short file. */
async function kindOf(
  { kinds }: TusIntake,
  parts: UploadParts,
  record: UploadRecord,
  pieces: StoredPieces,
): Promise<FileKind> {
  if (pieces.bytes === 0) throw emptyFile();
  const { type, options, allowed } = record;
  const kind =
    type === null
      ? await acceptFile(kinds, await readable(parts.bytesAt(pieces, 0, SNIFF_BYTES)), optionsOf(record), allowed)
      : { type, options };
  const readAt = (start: number, byteCount: number) => readable(parts.bytesAt(pieces, start, byteCount));
  const rawType = kind.type === 'image/tiff' ? await rawTypeOfStored(readAt) : undefined;
  if (rawType !== undefined) throw unsupportedType(rawType, kinds);
  return kind;
}

/** Rejects if another request has not ended the multipart upload yet. */
async function readable(reading: Promise<Buffer | undefined>): Promise<Buffer> {
  const bytes = await reading;
  if (bytes === undefined) throw new Error('the parts are not joined yet');
  return bytes;
}

/** Returns the digest of the file. Null if a worker computes it. */
async function digestOf(intake: TusIntake, parts: UploadParts, pieces: StoredPieces): Promise<string | null> {
  if (intake.hashes === false || pieces.bytes > AT_ONCE_BYTES) return null;
  const hash = createHash('sha256');
  for await (const chunk of parts.readAll(pieces)) hash.update(chunk);
  return hash.digest('hex');
}
