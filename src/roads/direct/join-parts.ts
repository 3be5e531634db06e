import { ServiceError } from '../../errors.ts';
import { originalKey } from '../../storage/keys.ts';
import { PartsRefusedError, type DirectParts, type DirectUpload, type StoredPart } from '../../storage/direct-parts.ts';
import type { Storage } from '../../storage/storage.ts';
import { planOf, type DirectUploadRecord } from './part-plan.ts';

/** A part as the sender names it. */
export interface ClaimedPart {
  number: number;
  etag: string;
}

interface JoinParts {
  storage: Pick<Storage, 'stat'>;
  direct: DirectParts;
}

/** Names the multipart upload of a record. */
export function bucketUpload({ id, fencingToken, road }: DirectUploadRecord): DirectUpload {
  return { key: originalKey(id, fencingToken), uploadId: road.uploadId };
}

/**
 * Makes one object of the parts. Does nothing if another call has done it. Throws `bad_parts` (400) if a part is
 * missing or wrong, and `no_direct_upload` (409) if the bucket has neither the parts nor the object.
 * @param claimed the parts as the sender names them. Undefined: the parts that the bucket has.
 */
export async function joinParts(
  { storage, direct }: JoinParts,
  record: DirectUploadRecord,
  claimed?: readonly ClaimedPart[],
): Promise<void> {
  const upload = bucketUpload(record);
  const stored = await direct.list(upload);
  if (stored !== undefined) {
    const fault = (claimed && faultOfClaim(record, claimed, stored)) ?? faultOfParts(record, stored);
    if (fault !== undefined) throw badParts(fault, record.id);
    if (await completed(direct, upload, stored, record.id)) return;
  }
  // Another call has joined them, or the answer of the bucket was lost.
  if (await isJoined({ storage }, record)) return;
  throw new ServiceError('no_direct_upload', 'The bucket has lost the parts. Send the file again as a new upload.', {
    id: record.id,
  });
}

/** True if the parts have become the file. */
export async function isJoined({ storage }: Pick<JoinParts, 'storage'>, record: DirectUploadRecord): Promise<boolean> {
  return (await storage.stat(bucketUpload(record).key))?.sizeBytes === record.totalBytes;
}

/** Returns the first fault of the parts. Undefined if all parts are there with their lengths. */
export function faultOfParts(record: DirectUploadRecord, stored: readonly StoredPart[]): string | undefined {
  const plan = planOf(record);
  const sizes = new Map(stored.map(({ number, sizeBytes }) => [number, sizeBytes]));
  for (const { number, sizeBytes } of plan.parts(1, plan.count)) {
    const found = sizes.get(number);
    if (found === undefined) return `The bucket does not have part ${number}. Send it`;
    if (found !== sizeBytes)
      return `Part ${number} has ${found} bytes, but ${sizeBytes} were announced. Send the part again`;
  }
  return stored.length > plan.count ? `The file has ${plan.count} parts, and the bucket has more` : undefined;
}

function faultOfClaim(
  record: DirectUploadRecord,
  claimed: readonly ClaimedPart[],
  stored: readonly StoredPart[],
): string | undefined {
  const { count } = planOf(record);
  const wrong = claimed.findIndex(({ number }, index) => number !== index + 1);
  if (wrong >= 0) return `Entry ${wrong + 1} must be part ${wrong + 1}. List each part once, in order`;
  if (claimed.length !== count)
    return `The file has ${count} parts, but ${claimed.length} are listed. List all of them`;
  const tags = new Map(stored.map(({ number, etag }) => [number, etag]));
  const other = claimed.find(({ number, etag }) => tags.has(number) && tags.get(number) !== etag.replaceAll('"', ''));
  return other && `The bucket has another part ${other.number}. List its ETag, or send the part again`;
}

async function completed(
  direct: DirectParts,
  upload: DirectUpload,
  stored: readonly StoredPart[],
  id: string,
): Promise<boolean> {
  try {
    return await direct.complete(upload, stored);
  } catch (error) {
    if (error instanceof PartsRefusedError) throw badParts(`The bucket refused the parts (${error.message})`, id);
    throw error;
  }
}

function badParts(fault: string, id: string): ServiceError {
  return new ServiceError('bad_parts', `${fault}. Then send this request again.`, { id });
}
