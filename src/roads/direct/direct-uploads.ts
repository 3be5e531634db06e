import { randomUUID } from 'node:crypto';
import { ServiceError } from '../../errors.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import { emptyFile } from '../../intake/body.ts';
import { cleanFileName } from '../../intake/file-name.ts';
import { IncomingUpload, type IntakeParts } from '../../intake/incoming-upload.ts';
import { capacityErrorOf } from '../../intake/opening-error.ts';
import { requireShortOptions } from '../../intake/options.ts';
import { rejectionToError } from '../../intake/receive-progress.ts';
import { byteLimit, optionsFor } from '../../intake/ticket-rules.ts';
import { recordOf } from '../../record/change-outcome.ts';
import { completeRead, readExisting } from '../../record/read-existing.ts';
import { asSeen, withResult, type ReadWithResult } from '../../record/read-record.ts';
import type { UploadRecord } from '../../record/record-fields.ts';
import type { DirectParts, SignedPart, StoredPart } from '../../storage/direct-parts.ts';
import { originalKey } from '../../storage/keys.ts';
import type { CompleteRequest, DirectRequest } from '../../wire/direct-schemas.ts';
import { errorOfFailure } from './error-of-failure.ts';
import { finishDirect } from './finish-direct.ts';
import { bucketUpload, isJoined } from './join-parts.ts';
import { isDirect, partBytesFor, partPlan, planOf, type DirectUploadRecord } from './part-plan.ts';
import { readStored } from './watch-stored.ts';

/** Number of addresses in the answer to the creation, and by default in later answers. */
const PARTS_AT_ONCE = 10;

/** The janitor reads the bucket if no request has done so for this time. */
const BUCKET_READ_AFTER_MS = 60_000;

/** A request for part addresses reads the bucket too, if nobody has done so for this time. */
const READ_AFTER_MS = 2_000;

/** The parts that direct uploads need. */
export interface DirectUploadParts extends IntakeParts {
  maxFileBytes: number;
  /** An upload expires if no part was added for this time. */
  expiryMs: number;
}

/** A direct upload that has just begun. */
export interface BegunUpload {
  read: ReadWithResult;
  partBytes: number;
  parts: SignedPart[];
}

/** The parts of a file that the bucket has. */
interface StoredParts {
  partBytes: number;
  parts: Pick<StoredPart, 'number' | 'sizeBytes' | 'etag'>[];
}

/** The ETag of each listed part after the parts were joined. The bucket has no other then, and nobody needs it. */
const ETAG_OF_JOINED = 'joined';

/** Uploads whose parts the client puts into the bucket. Bytes do not pass this process. */
export class DirectUploads {
  readonly #parts: DirectUploadParts;

  constructor(parts: DirectUploadParts) {
    this.#parts = parts;
  }

  /** True if the storage is a bucket. */
  get isOffered(): boolean {
    return this.#parts.storage.direct !== undefined;
  }

  /** Returns the parts of the bucket. Throws `no_direct_uploads` (501) if the storage is no bucket. */
  requireBucket(): DirectParts {
    const { direct } = this.#parts.storage;
    if (direct !== undefined) return direct;
    throw new ServiceError(
      'no_direct_uploads',
      'The storage of this service is not a bucket, so files cannot be sent straight to it. Send the file with PUT.',
    );
  }

  /**
   * Creates the record, begins the multipart upload, and returns the first addresses. Throws `no_direct_uploads` (501)
   * if the storage is no bucket, `empty_file` and `bad_options` (400), `upload_conflict` (409) for the id of a stored
   * upload, `file_too_large` (413), and as `IncomingUpload.open`. With the id of an upload that still receives, it
   * begins again.
   */
  async create(scope: RequestScope, request: DirectRequest): Promise<BegunUpload> {
    const direct = this.requireBucket();
    const { admission, maxFileBytes } = this.#parts;
    const { size, sha256 } = request;
    const limit = byteLimit(maxFileBytes, scope.caller.ticket);
    if (size > limit.maxBytes) throw limit.tooLarge();
    if (size === 0) throw emptyFile();
    const options = optionsFor(scope.caller, requireShortOptions(request.options, 'The member "options"'));
    await admission.requireRate(scope);
    const id = request.id ?? randomUUID();
    const announced = { id, fileName: cleanFileName(request.fileName), totalBytes: size, options };
    const limits = admission.queueLimits(scope.address);
    const outcome = await IncomingUpload.open(this.#parts, scope, announced, limits);
    if ('existing' in outcome)
      throw new ServiceError('upload_conflict', 'An upload with this id is stored. Send this file with a new id.', {
        id,
      });
    try {
      const record = await this.#begin(direct, outcome.opened.record, sha256);
      return {
        read: withResult(asSeen(record), null),
        partBytes: record.road.partBytes,
        parts: await this.#sign(direct, record),
      };
    } catch (error) {
      // Nobody knows the id, unless it is the client's own.
      await (request.id === undefined ? outcome.opened.forget() : outcome.opened.reject(asServiceError(error)));
      throw error;
    }
  }

  /**
   * Returns addresses of parts, from one number on. Throws `bad_request` (400) for a number that the file does not
   * have, and `no_direct_upload` (409) unless the upload waits for parts.
   */
  async sign(id: string, from = 1, count = PARTS_AT_ONCE): Promise<SignedPart[]> {
    const direct = this.requireBucket();
    const record = await this.#receiving(id);
    const plan = planOf(record);
    if (from > plan.count)
      throw new ServiceError('bad_request', `The file has ${plan.count} parts. Ask for one of them.`, { id });
    const idleMs = this.#parts.records.nowMs() - record.updatedAtMs;
    if (idleMs > READ_AFTER_MS) await readStored({ ...this.#parts, direct }, record);
    return await this.#sign(direct, record, from, count);
  }

  /**
   * Returns the parts that the bucket has: all of a complete file, whose client may not have got the answer. The record
   * of a stored upload does not say how its bytes came, so this includes files that were sent in another way. Throws
   * `no_direct_upload` (409) for an upload that has ended without its bytes.
   */
  async stored(id: string): Promise<StoredParts> {
    const direct = this.requireBucket();
    const { record } = await readExisting(this.#parts.records, id);
    if (record.stored) return partsOfJoined(record.receivedBytes);
    const waiting = requireDirect(record);
    try {
      const parts = await readStored({ ...this.#parts, direct }, waiting);
      if (parts === undefined && (await isJoined(this.#parts, waiting))) return partsOfJoined(waiting.totalBytes);
      return { partBytes: waiting.road.partBytes, parts: parts ?? [] };
    } catch (error) {
      // Another request may have completed the upload since the record was read.
      const { record: latest } = await readExisting(this.#parts.records, id);
      if (latest.stored) return partsOfJoined(latest.receivedBytes);
      throw error;
    }
  }

  /**
   * Makes the file of its parts and queues it. The same request again returns the same upload. Throws `bad_parts` (400)
   * and `no_direct_upload` (409), the error of a file that is rejected by its first bytes, and `queue_full` (503),
   * `too_many_queued_by_address` or `quota_exceeded` (429): then the client sends the request again later.
   */
  async complete(scope: RequestScope, id: string, { parts: claimed }: CompleteRequest): Promise<ReadWithResult> {
    const direct = this.requireBucket();
    const read = await readExisting(this.#parts.records, id);
    if (read.record.stored) return await completeRead(this.#parts.records, read);
    const { admission } = this.#parts;
    const { log, address } = scope;
    const queued = await finishDirect({ ...this.#parts, direct, log }, requireDirect(read.record), {
      claimed,
      scope,
      limits: admission.queueLimits(address),
      capacityError: (rejected) => capacityErrorOf(admission, address, rejected),
      onDiscarded: () => admission.discarded(),
    });
    return await completeRead(this.#parts.records, queued);
  }

  async #begin(direct: DirectParts, record: UploadRecord, sha256: string | undefined): Promise<DirectUploadRecord> {
    const { id, fencingToken, totalBytes } = record;
    const uploadId = await direct.begin(originalKey(id, fencingToken));
    const road = { name: 'direct' as const, uploadId, partBytes: partBytesFor(totalBytes ?? 0) };
    const outcome = await this.#parts.records.roads.set(id, fencingToken, {
      road,
      silenceMs: Math.min(BUCKET_READ_AFTER_MS, this.#parts.expiryMs),
      ...(sha256 === undefined ? {} : { sha256 }),
    });
    if (!outcome.applied || outcome.record === undefined)
      await direct.abort({ key: originalKey(id, fencingToken), uploadId });
    if (!outcome.applied) throw rejectionToError(outcome);
    return requireDirect(recordOf(outcome));
  }

  async #sign(direct: DirectParts, record: DirectUploadRecord, from = 1, count = PARTS_AT_ONCE): Promise<SignedPart[]> {
    return await direct.sign(bucketUpload(record), planOf(record).parts(from, count));
  }

  async #receiving(id: string): Promise<DirectUploadRecord> {
    return requireDirect((await readExisting(this.#parts.records, id)).record);
  }
}

function partsOfJoined(sizeBytes: number): StoredParts {
  const plan = partPlan(sizeBytes, partBytesFor(sizeBytes));
  const parts = plan.parts(1, plan.count).map((part) => ({ ...part, etag: ETAG_OF_JOINED }));
  return { partBytes: plan.partBytes, parts };
}

function requireDirect(record: UploadRecord): DirectUploadRecord {
  if (isDirect(record)) return record;
  const { id, state } = record;
  const failure = errorOfFailure(record);
  if (failure !== undefined) throw failure;
  if (state === 'cancelled' || state === 'discarded')
    throw rejectionToError({ applied: false, rejection: 'final', record });
  throw new ServiceError('no_direct_upload', 'This upload does not wait for parts. Read it with GET /uploads/{id}.', {
    id,
  });
}

function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  return new ServiceError('internal_error', 'The upload could not begin. Send the file again.', { cause: error });
}
