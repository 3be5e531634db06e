import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../errors.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import { fileTooLarge, requireIdentityEncoding } from '../../intake/body.ts';
import { capacityErrorOf } from '../../intake/opening-error.ts';
import { rejectionToError } from '../../intake/receive-progress.ts';
import { byteLimit } from '../../intake/ticket-rules.ts';
import type { UploadMetadata, UploadRecord } from '../../record/record-fields.ts';
import { UploadParts } from '../../storage/upload-parts.ts';
import { createUpload } from '../tus/create-upload.ts';
import { existingUpload } from '../tus/existing-upload.ts';
import { finishUpload } from '../tus/finish-upload.ts';
import { keptBody, type BodyChunks } from '../tus/kept-body.ts';
import { lockUpload } from '../tus/lock-upload.ts';
import { receivePart } from '../tus/receive-part.ts';
import type { TusParts } from '../tus/tus-endpoint.ts';
import {
  inconsistentLength,
  requirePartialUpload,
  uploadFields,
  uploadLimit,
  type UploadFields,
} from './upload-fields.ts';

/** The address for new uploads. Each upload has its own address below it. */
export const RESUMABLE_PATH = '/resumable';

/** A request of the protocol. */
export interface ResumableRequest {
  scope: RequestScope;
  request: IncomingMessage;
  /** Fires if the client disconnects. */
  gone: AbortSignal;
}

/** A successful answer. Errors are thrown. */
export interface ResumableAnswer {
  /** The upload, if it is complete now. */
  completed: string | undefined;
  headers: Record<string, string>;
}

/** Resumable uploads of the IETF (draft-ietf-httpbis-resumable-upload), over the same parts as tus. */
export class ResumableEndpoint {
  readonly #parts: TusParts;

  constructor(parts: TusParts) {
    this.#parts = parts;
  }

  /** The value of `Upload-Limit` for a new upload. */
  get limit(): string {
    return uploadLimit(this.#parts.maxFileBytes, this.#parts.expiryMs);
  }

  /**
   * Creates an upload, and stores the body as its beginning. Throws as `TusStore.create` and `append` do.
   * @param onCreated called with its address before the body is read.
   */
  async create(
    { scope, request, gone }: ResumableRequest,
    metadata: UploadMetadata,
    onCreated: (fields: Record<string, string>) => void,
  ): Promise<ResumableAnswer> {
    const fields = uploadFields(request, 0);
    requireComplete(fields);
    requireIdentityEncoding(request);
    const id = randomUUID();
    await createUpload(this.#parts, scope, { id, metadata, sizeBytes: fields.totalBytes });
    const address = { Location: `${RESUMABLE_PATH}/${id}`, 'Upload-Limit': this.limit };
    onCreated(address);
    const answer = await this.#locked(scope, id, gone, (record, wanted) =>
      this.#append(scope, record, request, fields, wanted),
    );
    return { ...answer, headers: { ...address, ...answer.headers } };
  }

  /**
   * Appends the body. Throws `offset_conflict` (409) with the right offset, `bad_request` (400) for a complete upload
   * and for lengths that disagree, and as `receivePart` and `finishUpload` do.
   */
  async append({ scope, request, gone }: ResumableRequest, id: string): Promise<ResumableAnswer> {
    requirePartialUpload(request);
    requireIdentityEncoding(request);
    const fields = uploadFields(request);
    requireComplete(fields);
    if (fields.offset === undefined)
      throw new ServiceError('bad_request', 'Upload-Offset must appear once and be a whole number of bytes.');
    return await this.#locked(scope, id, gone, (record, wanted) =>
      this.#append(scope, record, request, fields, wanted),
    );
  }

  /** Returns the fields of a HEAD. A request that is still sending is asked to end first. */
  async offset({ scope, gone }: ResumableRequest, id: string): Promise<Record<string, string>> {
    return await this.#locked(scope, id, gone, async (record) => {
      const { totalBytes, allowed } = record;
      const isComplete = record.state !== 'receiving';
      const bytes = isComplete
        ? record.receivedBytes
        : (await new UploadParts(this.#parts.storage, record).stored()).bytes;
      const limit = byteLimit(this.#parts.maxFileBytes, allowed);
      const ageMs = Math.max(0, this.#parts.records.nowMs() - record.updatedAtMs);
      return {
        'Upload-Offset': String(bytes),
        'Upload-Complete': isComplete ? '?1' : '?0',
        ...(totalBytes === null ? {} : { 'Upload-Length': String(totalBytes) }),
        'Upload-Limit': uploadLimit(limit.maxBytes, this.#parts.expiryMs - ageMs),
      };
    });
  }

  /** Throws `unknown_upload` (404) or `upload_gone` (410). */
  async cancel(id: string): Promise<void> {
    await existingUpload(this.#parts.records, id);
    await this.#parts.removal.delete(id);
  }

  async #locked<T>(
    scope: RequestScope,
    id: string,
    gone: AbortSignal,
    work: (record: UploadRecord, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { records } = this.#parts;
    await existingUpload(records, id);
    return await lockUpload(this.#parts, { scope, id, gone, drainMs: 0 }, async (wanted) =>
      work(await existingUpload(records, id), wanted),
    );
  }

  async #append(
    scope: RequestScope,
    record: UploadRecord,
    request: IncomingMessage,
    fields: UploadFields,
    wanted: AbortSignal,
  ): Promise<ResumableAnswer> {
    const { storage, intake } = this.#parts;
    if (record.state !== 'receiving') throw new ServiceError('bad_request', 'The upload is complete. Send no bytes.');
    const stored = await new UploadParts(storage, record).stored();
    const { bytes } = stored;
    if (fields.offset !== bytes) throw offsetConflict(bytes);
    const totalBytes = await this.#knownTotal(scope, record, fields.totalBytes);
    if (totalBytes !== null && totalBytes < bytes) throw inconsistentLength();
    let isWhole = true;
    const offset = await intake.whileReceiving(scope, request, async (signal) => {
      const ended = AbortSignal.any([signal, wanted]);
      const mostBytes = totalBytes === null ? Number.POSITIVE_INFINITY : totalBytes - bytes;
      const tooLong = () => fileTooLarge(mostBytes);
      const onBroken = () => void (isWhole = false);
      const body: BodyChunks = (rejected) => keptBody(request, { ended, rejected, mostBytes, tooLong, onBroken });
      return await receivePart(this.#parts, scope, record, { offset: bytes, body, checksum: undefined, stored });
    });
    const headers = { 'Upload-Offset': String(offset) };
    if (!isWhole || fields.isComplete !== true)
      return { completed: undefined, headers: { ...headers, 'Upload-Complete': '?0' } };
    if (totalBytes !== null && offset !== totalBytes) throw inconsistentLength();
    await finishUpload(this.#parts, scope, record, offset);
    return { completed: record.id, headers: { ...headers, 'Upload-Complete': '?1' } };
  }

  /** Returns the length of the file. Records a length that the client has not sent before. */
  async #knownTotal(scope: RequestScope, record: UploadRecord, sent: number | undefined): Promise<number | null> {
    if (sent === undefined) return record.totalBytes;
    if (record.totalBytes !== null && record.totalBytes !== sent) throw inconsistentLength();
    if (record.totalBytes === sent) return sent;
    const limit = byteLimit(this.#parts.maxFileBytes, record.allowed);
    if (sent > limit.maxBytes) throw limit.tooLarge();
    const { id, fencingToken } = record;
    const outcome = await this.#parts.records.announceTotal(id, fencingToken, sent);
    if (outcome.applied) return sent;
    throw (await capacityErrorOf(this.#parts.admission, scope.address, outcome)) ?? rejectionToError(outcome);
  }
}

/** Throws `bad_request` (400) without the field, which the draft requires for a creation and an append. */
function requireComplete({ isComplete }: UploadFields): void {
  if (isComplete !== undefined) return;
  throw new ServiceError('bad_request', 'Upload-Complete must be ?1 for the last bytes of a file, otherwise ?0.');
}

function offsetConflict(offset: number): ServiceError {
  return new ServiceError(
    'offset_conflict',
    'Upload-Offset is not the offset of the upload. Continue at the offset in the answer.',
    { headers: { 'Upload-Offset': String(offset), 'Upload-Complete': '?0' } },
  );
}
