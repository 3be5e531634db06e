import type Router from '@koa/router';
import type { Context } from 'koa';
import { finished } from 'node:stream';
import { isFinalState } from '../wire/documents.ts';
import { AsyncContext } from '../deferred/async-context.ts';
import { Dispatch } from '../deferred/dispatch.ts';
import { ResponseEntity } from '../deferred/response-entity.ts';
import { ServiceError } from '../errors.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { requestedTimeoutMs } from '../http/deferral.ts';
import { attachmentDisposition } from '../http/content-disposition.ts';
import { DownloadPlaces } from '../http/download-places.ts';
import { spanOf } from '../http/request-scope.ts';
import { sendObject, type ServedObject } from '../http/send-object.ts';
import type { Transfers } from '../http/transfers.ts';
import { requireUploadId } from '../http/parameters.ts';
import type { Kinds } from '../kinds/kinds.ts';
import { isGone, type StoredVariant, type UploadRecord } from '../record/record-fields.ts';
import { followStoredBytes } from '../record/follow-bytes.ts';
import type { ReadRecord } from '../record/read-record.ts';
import type { UploadRecords } from '../record/record.ts';
import { RecordSubscription } from '../record/record-subscription.ts';
import { noteCause } from '../record/record-wait.ts';
import { readExisting } from '../record/read-existing.ts';
import type { WatchParts } from '../record/watch.ts';
import { originalKey } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';
import { isTableForm, tableExport } from '../tables/table-export.ts';
import { sendTable } from './send-table.ts';
import { tracedReads } from '../storage/traced-storage.ts';

/** The parts that the file routes need. `defaultTimeoutMs` applies if the client sends no timeout. */
export interface FileRouteParts extends WatchParts {
  records: UploadRecords;
  storage: Storage;
  transfers: Transfers;
  kinds: Kinds;
  addressOf: ClientAddress;
  defaultTimeoutMs: number;
  maxTimeoutMs: number;
}

/** Default timeouts are shortened by up to this share, so that all pictures of a page do not time out together. */
const JITTER = 0.05;

/** Maximum number of tables that are converted at once. Each takes processor time of this process. */
const TABLE_PLACES = { max: 8, maxPerAddress: 4 };

/** A grey area that an `<img>` shows if its picture was not ready in time. */
const PLACEHOLDER =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3" preserveAspectRatio="none">' +
  '<rect width="4" height="3" fill="#8a8f98" fill-opacity=".35"/></svg>';

const PLACEHOLDER_HEADERS = { 'Content-Type': 'image/svg+xml', 'Cache-Control': 'no-store', 'X-Timed-Out': 'true' };

/** Adds the route that sends the uploaded bytes. */
export function contentRoutes(router: Router, parts: FileRouteParts): void {
  router.get('/uploads/:id/content', async (ctx: Context) => {
    const id = requireUploadId(ctx['params']['id']);
    const { record } = await readExisting(parts.records, id);
    if (!record.stored || (await isInParts(parts.storage, record))) throw noContent(record);
    await sendFile(ctx, parts, id, {
      key: originalKey(id, record.fencingToken),
      sizeBytes: record.receivedBytes,
      type: record.type ?? 'application/octet-stream',
      // A request that sends other bytes under the id has another fencing token.
      etag: `"${record.sha256 ?? record.fencingToken}"`,
      cacheControl: 'private, no-cache',
      disposition: attachmentDisposition(record.fileName),
      missing: 'upload_gone',
    });
  });
}

/** True if a worker has not joined the parts of a resumable upload yet. */
async function isInParts(storage: Storage, { id, fencingToken, state }: UploadRecord): Promise<boolean> {
  if (state !== 'queued' && state !== 'processing') return false;
  return (await storage.stat(originalKey(id, fencingToken))) === undefined;
}

/** Like `sendObject`, but cuts the connection if the upload is deleted during the transfer. */
async function sendFile(ctx: Context, parts: FileRouteParts, id: string, object: ServedObject): Promise<void> {
  cutIfDeleted(ctx, parts, id);
  await sendObject(ctx, tracedReads(parts.storage, spanOf(ctx)), object);
}

/** Cuts the connection if the upload is deleted. Calls `ended` when the response is over. */
function cutIfDeleted(ctx: Context, parts: FileRouteParts, id: string, ended?: () => void): void {
  const cut = (): void => void ctx.res.destroy();
  const release = parts.transfers.enter(id, cut);
  const endFollowing = followStoredBytes(parts, id, cut);
  finished(ctx.res, () => {
    release();
    endFollowing();
    ended?.();
  });
}

function noContent({ id, state }: UploadRecord): ServiceError {
  if (state === 'cancelled')
    return new ServiceError(
      'upload_cancelled',
      'The upload was cancelled and its bytes were removed. Send the file again if you still need it.',
      { id, state },
    );
  if (state === 'discarded')
    return new ServiceError(
      'upload_discarded',
      'The queue was full, so this upload was discarded and its bytes were removed. Send the file again.',
      { id, state },
    );
  if (state === 'failed')
    return new ServiceError(
      'content_not_stored',
      'The file was rejected, so its bytes were not stored. The error of the upload gives the reason.',
      { id, state },
    );
  return new ServiceError(
    'content_not_stored',
    'The bytes of this upload are not stored yet. Retry after the time in Retry-After.',
    { id, retryAfterMs: 1000 },
  );
}

/**
 * Adds the route of the derived files. It needs only the public id. A request is held until its file exists and is then
 * dispatched to the same handler, so that an `<img>` can use the address from the start.
 */
export function variantRoutes(router: Router, parts: FileRouteParts): void {
  const places = new DownloadPlaces(TABLE_PLACES);
  router.get('/variants/:publicId/:name', async (ctx: Context) => {
    const name = String(ctx['params']['name']);
    const timeoutMs =
      requestedTimeoutMs(ctx, parts.maxTimeoutMs) ?? parts.defaultTimeoutMs * (1 - JITTER * Math.random());
    const id = await parts.records.idOf(String(ctx['params']['publicId']));
    if (id === undefined) throw unknownVariant();
    // Pages of other sites may show the file: the public id is meant to be shared.
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
    const record = await readForVariant(parts, id, name);
    if (isThere(record, name)) await sendVariant(ctx, parts, { record, name, places });
    else if (timeoutMs === 0) answerLate(ctx, parts, record, name);
    else await holdUntilThere(ctx, parts, record, name, timeoutMs);
  });
}

/** The form of a table is made from its result. No other file needs the result. */
async function readFor({ records }: FileRouteParts, id: string, name: string): Promise<ReadRecord | undefined> {
  return await (isTableForm(name) ? records.readWithResult(id) : records.read(id));
}

/** Throws `unknown_variant` (404) if the upload has no such file and will never have it. */
async function readForVariant(parts: FileRouteParts, id: string, name: string): Promise<UploadRecord> {
  const read = await readFor(parts, id, name);
  if (read === undefined || isGone(read.record, read.nowMs)) throw unknownVariant();
  const { record } = read;
  if (isThere(record, name)) return record;
  if (!willHave(parts, record, name) || isFinalState(record.state)) throw unknownVariant();
  return record;
}

function willHave({ kinds }: FileRouteParts, { type, options }: UploadRecord, name: string): boolean {
  return kinds.mayHave(type, options, name);
}

/** Returns an own member only: the name comes from the client, and an object also has inherited members. */
function variantOf(record: UploadRecord, name: string): StoredVariant | undefined {
  return Object.hasOwn(record.variants, name) ? record.variants[name] : undefined;
}

function unknownVariant(): ServiceError {
  return new ServiceError(
    'unknown_variant',
    'This upload has no file of this name. The variants of the result list the names.',
  );
}

/** True if the file is stored, or can be made from a stored one. */
function isThere(record: UploadRecord, name: string): boolean {
  return variantOf(record, name) !== undefined || tableExport(record, name) !== undefined;
}

async function sendVariant(
  ctx: Context,
  parts: FileRouteParts,
  { record, name, places }: { record: UploadRecord; name: string; places: DownloadPlaces },
): Promise<void> {
  const variant = variantOf(record, name);
  if (variant === undefined) {
    const table = tableExport(record, name);
    if (table === undefined) throw unknownVariant();
    const begin = (): void => cutIfDeleted(ctx, parts, record.id, places.enter(parts.addressOf(ctx.req)));
    await sendTable(ctx, tracedReads(parts.storage, spanOf(ctx)), { ...table, name }, begin);
    return;
  }
  await sendFile(ctx, parts, record.id, {
    key: variant.key,
    sizeBytes: variant.size,
    type: variant.type ?? `image/${variant.format}`,
    etag: `"${variant.sha256}"`,
    cacheControl: 'public, max-age=31536000, immutable',
    missing: 'unknown_variant',
    ...(variant.isAttachment === true ? { disposition: attachmentDisposition(name) } : {}),
  });
}

async function holdUntilThere(
  ctx: Context,
  parts: FileRouteParts,
  upload: UploadRecord,
  name: string,
  timeoutMs: number,
): Promise<void> {
  const isDecided = async (): Promise<boolean> => {
    const record = (await readFor(parts, upload.id, name))?.record;
    return (
      record === undefined || isThere(record, name) || isFinalState(record.state) || !willHave(parts, record, name)
    );
  };
  const context = AsyncContext.start(ctx, {
    timeoutMs,
    timeoutResult: async () =>
      (await isDecided().catch(() => false)) ? new Dispatch() : lateAnswer(parts, upload, name),
  });
  const subscription = new RecordSubscription(parts.registry, {
    ids: [upload.id],
    get isDone() {
      return !context.isStarted;
    },
    async read() {
      if (await isDecided()) context.dispatch();
    },
    changed(event) {
      const { state } = event;
      // The type of a queued upload is known, and with it whether the upload will have this file.
      if (state === 'receiving' || (state === 'queued' && upload.type !== null)) return true;
      noteCause(context.result, event);
      return false;
    },
  });
  context.addListener({ onComplete: () => subscription.close() });
  await subscription.open();
}

/**
 * Returns the placeholder if the file was not ready in time. Throws `deferred_timeout` (503) unless it is a picture, so
 * that no program reads a placeholder as data.
 */
function lateAnswer({ kinds }: FileRouteParts, { type, options }: UploadRecord, name: string): ResponseEntity {
  if (kinds.hasPlaceholder(type, options, name))
    return new ResponseEntity({ status: 200, headers: PLACEHOLDER_HEADERS, body: PLACEHOLDER });
  throw new ServiceError('deferred_timeout', 'The file is not ready yet. Retry after the time in Retry-After.', {
    retryAfterMs: 1000,
  });
}

function answerLate(ctx: Context, parts: FileRouteParts, record: UploadRecord, name: string): void {
  const { body, headers } = lateAnswer(parts, record, name);
  ctx.body = body;
  ctx.set(headers);
}
