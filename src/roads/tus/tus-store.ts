import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import { isFinalState } from '../../wire/documents.ts';
import { ServiceError } from '../../errors.ts';
import type { Caller } from '../../access/caller.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import type { UploadRecord } from '../../record/record-fields.ts';
import { isCapacityError } from '../../intake/admission.ts';
import { byteLimit, requireAllowedHint } from '../../intake/ticket-rules.ts';
import { IncomingUpload } from '../../intake/incoming-upload.ts';
import { emptyFile } from '../../intake/body.ts';
import type { SentDigest } from '../../intake/body-digests.ts';
import { METADATA_FIELD, withMetadata } from '../../intake/metadata.ts';
import { capacityErrorOf } from '../../intake/opening-error.ts';
import { rejectionToError } from '../../intake/receive-progress.ts';
import { StreamChunks } from '../../intake/stream-chunks.ts';
import type { StoredPieces } from '../../storage/stored-pieces.ts';
import { UploadParts } from '../../storage/upload-parts.ts';
import { isPartial, splitConcat, withConcat, type Concat } from './concat.ts';
import { existingUpload } from './existing-upload.ts';
import { finishUpload, removeJoinedParts } from './finish-upload.ts';
import type { BodyChunks } from './kept-body.ts';
import { receivePart, rejectUpload, type TusIntake } from './receive-part.ts';
import { fileNameIn, keptMetadata, newOptions, uploadIdIn } from './tus-metadata.ts';

/** The parts that the store needs. */
export interface TusStoreParts extends TusIntake {
  removal: { delete(id: string): Promise<void> };
}

const EXTENSIONS = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'expiration',
  'termination',
  'checksum',
  'concatenation',
];
const METADATA_PLACE = 'The value "metadata" of Upload-Metadata';

/** The error for a PATCH of a final upload, which cannot be changed (tus 1.0, "Upload-Concat"). */
const PATCH_OF_FINAL: ConstructorParameters<typeof ServiceError> = [
  'bad_request',
  'This upload was made of partial uploads, so it takes no more bytes.',
  { status: 403 },
];

/** An upload without a byte expires after this time. */
const NOT_BEGUN_EXPIRY_MS = 600_000;

/** The headers of the request that @tus/server does not read. */
interface SentHeaders {
  /** The digest of the body. */
  checksum?: SentDigest | undefined;
  /** The role of the upload that is created. */
  concat?: Concat | undefined;
  isPatch?: boolean;
}

/** An upload and its stored bytes. */
interface ReadUpload {
  record: UploadRecord;
  stored: StoredPieces;
}

/**
 * The data store of @tus/server. The state of an upload is in its record and its bytes are in the storage. All methods
 * except `create` are called while the upload is locked. A store serves one request, because @tus/server does not pass
 * the request to it.
 */
export class TusStore extends DataStore {
  readonly #parts: TusStoreParts;
  readonly #scope: RequestScope;
  readonly #sent: SentHeaders;
  /** True if this request creates an upload. An error answer has no `Location`, so its client cannot continue. */
  #isCreation = false;

  #shownConcat: string | undefined;
  /** The upload as this request has read it. */
  #read: ReadUpload | undefined;

  constructor(parts: TusStoreParts, scope: RequestScope, sent: SentHeaders = {}) {
    super();
    this.#parts = parts;
    this.#scope = scope;
    this.#sent = sent;
    this.extensions = EXTENSIONS;
  }

  /** `Upload-Concat` of the upload that was read, undefined if it has none. */
  get shownConcat(): string | undefined {
    return this.#shownConcat;
  }

  /**
   * Creates no upload if it throws: `file_too_large` (413), `empty_file`, `bad_options` or `bad_metadata` (400),
   * `ticket_forbids` (403), `queue_full` (503), `too_many_queued_by_address` or `quota_exceeded` (429). For an id of
   * the client it throws `upload_conflict` (409) or `upload_gone` (410).
   */
  override async create(upload: Upload): Promise<Upload> {
    const { maxFileBytes, expiryMs } = this.#parts;
    const { id, size, metadata = {} } = upload;
    const { concat } = this.#sent;
    const caller = withMetadata(
      creatorOf(this.#scope.caller, concat),
      metadata[METADATA_FIELD] ?? undefined,
      METADATA_PLACE,
    );
    const limit = byteLimit(maxFileBytes, caller.ticket);
    if (size !== undefined && size > limit.maxBytes) throw limit.tooLarge();
    if (size === 0) throw emptyFile();
    requireAllowedHint(metadata['filetype'] ?? metadata['type'] ?? undefined, caller.ticket);
    const options = newOptions(caller, metadata);
    await this.#parts.admission.requireRate(this.#scope);
    if (uploadIdIn(metadata) !== undefined) await this.#requireUnused(id);
    const announced = {
      id,
      fileName: fileNameIn(metadata),
      totalBytes: size ?? null,
      silenceMs: this.#notBegunExpiryMs,
      metadata: withConcat(keptMetadata(metadata, this.#parts.kinds), concat),
      options,
    };
    const limits = this.#parts.admission.queueLimits(this.#scope.address);
    await IncomingUpload.open(this.#parts, { ...this.#scope, caller }, announced, limits);
    this.#isCreation = true;
    upload.creation_date = new Date(Date.now() + this.#notBegunExpiryMs - expiryMs).toISOString();
    return upload;
  }

  /**
   * If all bytes are stored but the upload is not queued, this queues it: an earlier process may have died, or the
   * queue was full. While the queue is full, the reported offset is one byte short, so that the client retries. A
   * client that sees the full offset does not return. Throws `unknown_upload` (404), and `upload_gone`,
   * `upload_cancelled` or `upload_discarded` (410).
   */
  override async getUpload(id: string): Promise<Upload> {
    const record = await existingUpload(this.#parts.records, id);
    const { totalBytes, receivedBytes } = record;
    const { metadata, concat } = splitConcat(record.metadata ?? {});
    this.#shownConcat = concat;
    if (this.#sent.isPatch === true && concat?.startsWith('final') === true) throw new ServiceError(...PATCH_OF_FINAL);
    const about = { id, ...(totalBytes === null ? {} : { size: totalBytes }), metadata: { ...metadata } };
    if (record.state !== 'receiving') {
      // The request that sent the last byte may have ended before it removed the parts.
      if (record.state === 'queued') await removeJoinedParts(this.#parts, this.#scope, record);
      return new Upload({ ...about, offset: receivedBytes });
    }
    const stored = await new UploadParts(this.#parts.storage, record).stored();
    const { bytes } = stored;
    const isKeptBack = bytes === totalBytes && !isPartial(record) && !(await this.#finishIfCapacity(record));
    if (bytes !== totalBytes || isKeptBack) this.#read = { record, stored };
    // @tus/server counts the expiry from the creation date.
    return new Upload({
      ...about,
      offset: isKeptBack ? bytes - 1 : bytes,
      creation_date: new Date(this.#expiryBase(record, bytes > 0)).toISOString(),
    });
  }

  override async declareUploadLength(id: string, sizeBytes: number): Promise<void> {
    const record = await existingUpload(this.#parts.records, id);
    const limit = byteLimit(this.#parts.maxFileBytes, record.allowed);
    if (sizeBytes > limit.maxBytes)
      throw await rejectUpload(this.#parts, this.#scope, record, limit.tooLarge(), record.receivedBytes);
    const outcome = await this.#parts.records.announceTotal(id, record.fencingToken, sizeBytes);
    this.#read = undefined;
    if (outcome.applied) return;
    throw (await capacityErrorOf(this.#parts.admission, this.#scope.address, outcome)) ?? rejectionToError(outcome);
  }

  /**
   * After the last byte, resolves when the upload is queued. Throws as `finishUpload` does. If the request creates the
   * upload, a full queue, a used up quota or a wrong checksum ends the upload.
   */
  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    return await this.append(id, offset, (rejected) => new StreamChunks(stream, (error) => error, rejected));
  }

  /** Like `write`, for a body that does not come from @tus/server. */
  async append(id: string, offset: number, body: BodyChunks): Promise<number> {
    const read = this.#read ?? (await this.#readUpload(id));
    this.#read = undefined;
    if (read.record.state !== 'receiving') return read.record.receivedBytes;
    try {
      return await this.#append(read, offset, body);
    } catch (error) {
      if (this.#isCreation && isRetriedAsNew(error)) await this.#endUnreachable(id, error);
      throw error;
    }
  }

  async #append({ record, stored }: ReadUpload, offset: number, body: BodyChunks): Promise<number> {
    const { totalBytes } = record;
    // If all bytes are stored, the client sends the last one again, and the upload only needs to be queued.
    const hasAll = totalBytes !== null && stored.bytes === totalBytes && offset === totalBytes - 1;
    const newOffset = hasAll
      ? offset + (await countBytes(body(new AbortController().signal)))
      : await receivePart(this.#parts, this.#scope, record, { offset, body, checksum: this.#sent.checksum, stored });
    if (newOffset === totalBytes && !isPartial(record)) await finishUpload(this.#parts, this.#scope, record);
    return newOffset;
  }

  async #readUpload(id: string): Promise<ReadUpload> {
    const record = await existingUpload(this.#parts.records, id);
    return { record, stored: await new UploadParts(this.#parts.storage, record).stored() };
  }

  /** Ends an upload whose address no client knows. Otherwise it would count for quotas until it expires. */
  async #endUnreachable(id: string, { code, message, limit }: ServiceError): Promise<void> {
    const record = (await this.#parts.records.read(id))?.record;
    if (record?.state !== 'receiving') return;
    // 460 is only for this answer. The record has the status of the code.
    const error = new ServiceError(code, message, limit === undefined ? {} : { limit });
    await rejectUpload(this.#parts, this.#scope, record, error, record.receivedBytes);
  }

  override async remove(id: string): Promise<void> {
    await existingUpload(this.#parts.records, id);
    await this.#parts.removal.delete(id);
  }

  override getExpiration(): number {
    return this.#parts.expiryMs;
  }

  /** An upload without a byte expires earlier. */
  get #notBegunExpiryMs(): number {
    return Math.min(NOT_BEGUN_EXPIRY_MS, this.#parts.expiryMs);
  }

  /** Returns the time from which @tus/server counts the expiry. It uses the clock of this machine. */
  #expiryBase({ updatedAtMs }: UploadRecord, hasBegun: boolean): number {
    const ageMs = Math.max(0, this.#parts.records.nowMs() - updatedAtMs);
    return Date.now() - ageMs - (hasBegun ? 0 : this.#parts.expiryMs - this.#notBegunExpiryMs);
  }

  /** Throws if the id is in use. A failed, cancelled or discarded upload can begin again without its old bytes. */
  async #requireUnused(id: string): Promise<void> {
    const record = (await this.#parts.records.read(id))?.record;
    if (record === undefined) return;
    if (!record.deleted && (!isFinalState(record.state) || record.state === 'completed')) {
      throw new ServiceError(
        'upload_conflict',
        'An upload with this id exists. Read its offset with HEAD and continue there.',
        { id },
      );
    }
    await new UploadParts(this.#parts.storage, record).removeAll();
  }

  /** Queues a complete upload. Returns false if the queue is full or a quota of the tenant is used up. */
  async #finishIfCapacity(record: UploadRecord): Promise<boolean> {
    try {
      await finishUpload(this.#parts, this.#scope, record);
      return true;
    } catch (error) {
      if (isCapacityError(error)) return false;
      throw error;
    }
  }
}

/** Removes `maxFiles` from the caller of a partial upload, because only the joined file counts for it. */
function creatorOf(caller: Caller, concat: Concat | undefined): Caller {
  if (caller.ticket === undefined || concat?.role !== 'partial') return caller;
  return { ...caller, ticket: { ...caller.ticket, maxFiles: undefined } };
}

/** True for an error after which clients send the file again, as a new upload if they do not know the address. */
function isRetriedAsNew(error: unknown): error is ServiceError {
  return isCapacityError(error) || (error instanceof ServiceError && error.code === 'digest_mismatch');
}

async function countBytes(chunks: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}
