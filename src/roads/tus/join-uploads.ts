import { Upload } from '@tus/server';
import { ServiceError } from '../../errors.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import { byteLimit } from '../../intake/ticket-rules.ts';
import type { UploadMetadata, UploadRecord } from '../../record/record-fields.ts';
import { allAtOnce, COPIES_AT_ONCE } from '../../storage/all-at-once.ts';
import { growingPartKey, newNonce, parseKey, partKey, uploadPrefix } from '../../storage/keys.ts';
import type { Piece } from '../../storage/stored-pieces.ts';
import { UploadParts } from '../../storage/upload-parts.ts';
import { uploadRef } from '../../telemetry/upload-ref.ts';
import { isPartial, type Concat } from './concat.ts';
import { finishUpload } from './finish-upload.ts';
import { rejectUpload } from './receive-part.ts';
import { existingUpload } from './existing-upload.ts';
import type { RedisLocker } from './redis-locker.ts';
import { TusStore, type TusStoreParts } from './tus-store.ts';

/** The final upload of a concatenation. */
export interface FinalUpload {
  id: string;
  metadata: UploadMetadata;
  concat: Extract<Concat, { role: 'final' }>;
}

/** The bytes of one partial upload. */
interface Partial {
  record: UploadRecord;
  bytes: number;
  pieces: readonly Piece[];
}

/**
 * Creates an upload of the bytes of partial uploads, queues it, and removes the partial uploads. They stay if it
 * throws: `bad_request` (400) for an upload that is not partial or not complete, `unknown_upload` (404) also for one of
 * another tenant, `upload_gone` or `upload_cancelled` (410), and as the creation and `finishUpload` do. Locks them in
 * order, so that two requests with the same ones cannot wait for each other.
 */
export async function joinUploads(
  parts: TusStoreParts,
  scope: RequestScope,
  locker: RedisLocker,
  upload: FinalUpload,
  signal: AbortSignal,
): Promise<void> {
  const locks = upload.concat.ids.toSorted().map((id) => locker.newLock(id));
  let locked = 0;
  try {
    for (const lock of locks) {
      // A request that asks for the lock waits until the join has ended.
      await lock.lock(signal, () => undefined);
      locked += 1;
    }
    const partials: Partial[] = [];
    for (const id of upload.concat.ids) partials.push(await requireComplete(parts, scope, id));
    await createFinal(parts, scope, upload, partials);
    for (const { record } of partials) await forgetPartial(parts, scope, record);
  } finally {
    for (const lock of locks.slice(0, locked)) await lock.unlock();
  }
}

async function requireComplete(parts: TusStoreParts, { caller }: RequestScope, id: string): Promise<Partial> {
  const record = await existingUpload(parts.records, id);
  const tenant = caller.via === 'open' ? null : caller.tenant;
  if (record.tenant !== tenant)
    throw new ServiceError('unknown_upload', 'There is no partial upload with this id. Check Upload-Concat.', { id });
  if (!isPartial(record) || record.state !== 'receiving')
    throw new ServiceError('bad_request', 'Upload-Concat names an upload that was not created as partial.', { id });
  const received = new UploadParts(parts.storage, record);
  const stored = await received.stored();
  const { bytes } = stored;
  if (bytes === 0 || bytes !== record.totalBytes)
    throw new ServiceError('bad_request', 'A partial upload is not complete. Send its bytes first.', { id });
  return { record, bytes, pieces: received.piecesIn(await received.readable(stored)) };
}

async function createFinal(
  parts: TusStoreParts,
  scope: RequestScope,
  { id, metadata, concat }: FinalUpload,
  partials: readonly Partial[],
): Promise<void> {
  const totalBytes = partials.reduce((sum, { bytes }) => sum + bytes, 0);
  const limit = byteLimit(parts.maxFileBytes, scope.caller.ticket);
  if (totalBytes > limit.maxBytes) throw limit.tooLarge();
  // The upload has no size, because the partial uploads have reserved their bytes already.
  await new TusStore(parts, scope, { concat }).create(new Upload({ id, offset: 0, metadata: { ...metadata } }));
  const record = await existingUpload(parts.records, id);
  try {
    const pieces = partials.flatMap((partial) => partial.pieces);
    const isJoined = await new UploadParts(parts.storage, record).joinFrom(pieces);
    if (!isJoined) await duplicateAll(parts, id, partials);
    await finishUpload(parts, scope, record, totalBytes);
  } catch (error) {
    const now = (await parts.records.read(id))?.record;
    if (error instanceof ServiceError && now?.state === 'receiving')
      throw await rejectUpload(parts, scope, now, error, totalBytes);
    throw error;
  }
}

/** Gives the final upload the parts of the partial ones, at their places in the file. A worker joins them. */
async function duplicateAll({ storage }: TusStoreParts, id: string, partials: readonly Partial[]): Promise<void> {
  const copies: { from: string; to: string }[] = [];
  let start = 0;
  for (const { bytes, pieces } of partials) {
    for (const { key } of pieces) copies.push({ from: key, to: copyKey(id, key, start) });
    start += bytes;
  }
  const isDone = await allAtOnce(copies, COPIES_AT_ONCE, ({ from, to }) => storage.duplicate(from, to));
  if (!isDone) throw new Error('a part of a partial upload is missing');
}

/** Returns the key for a copied part. It contains its place and, if it has grown, its number of bytes. */
function copyKey(id: string, key: string, start: number): string {
  const { offset = 0, growing } = parseKey(key) ?? {};
  const nonce = newNonce();
  return growing === undefined
    ? partKey(id, start + offset, nonce)
    : growingPartKey(id, start + offset, nonce, growing);
}

/** Never rejects. An upload that cannot be removed expires later. */
async function forgetPartial(
  { records, storage }: TusStoreParts,
  { log }: RequestScope,
  { id, publicId }: UploadRecord,
): Promise<void> {
  try {
    await records.forget(id, publicId);
    await storage.removeAll(uploadPrefix(id));
  } catch (error) {
    log.warn({ err: error, upload: uploadRef(id) }, 'partial upload not removed');
  }
}
