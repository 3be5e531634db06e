import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import { isFinalState } from '../../wire/documents.ts';
import { ServiceError } from '../../errors.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import type { UploadRecord } from '../../record/record-fields.ts';
import { isLackOfCapacity } from '../../intake/admission.ts';
import { fileTooLarge } from '../../intake/body.ts';
import { IncomingUpload } from '../../intake/incoming-upload.ts';
import { rejectionToError } from '../../intake/receive-progress.ts';
import { StreamChunks } from '../../intake/stream-chunks.ts';
import { finishUpload, receivePart, refuseUpload, removeParts, type TusIntake } from './receive-part.ts';
import { fileNameIn, keptMetadata, optionsIn, uploadIdIn } from './tus-metadata.ts';
import { UploadParts } from './upload-parts.ts';

/** What the store is made of. */
export interface TusStoreParts extends TusIntake {
  removal: { delete(id: string): Promise<void> };
}

/** An announced upload without a byte is given up after so long. */
const UNBEGUN_EXPIRY_MS = 600_000;

/**
 * Resumable uploads as the server of the tus protocol sees them: the record says whose they are and what became of
 * them, the storage how far they have come. All but `create` is called under the upload's lock. A store serves one
 * request: the protocol's server does not tell it which request a call belongs to.
 */
export class TusStore extends DataStore {
  readonly #parts: TusStoreParts;
  readonly #scope: RequestScope;

  constructor(parts: TusStoreParts, scope: RequestScope) {
    super();
    this.#parts = parts;
    this.#scope = scope;
    this.extensions = ['creation', 'creation-with-upload', 'creation-defer-length', 'expiration', 'termination'];
  }

  /**
   * Throws `file_too_large` (413), `empty_file` or `bad_options` (400), `queue_full` (503) or
   * `too_many_queued_by_address` (429), and for an id of the client's own `upload_conflict` (409) or `upload_gone` (410);
   * then no upload is made.
   */
  override async create(upload: Upload): Promise<Upload> {
    const { maxFileBytes, expiryMs } = this.#parts;
    const { id, size, metadata = {} } = upload;
    if (size !== undefined && size > maxFileBytes) throw fileTooLarge(maxFileBytes);
    if (size === 0) throw new ServiceError('empty_file', 'The file has no bytes. Choose another one.');
    const options = optionsIn(metadata);
    if (uploadIdIn(metadata) !== undefined) await this.#requireUnused(id);
    const announced = {
      id,
      fileName: fileNameIn(metadata),
      totalBytes: size ?? null,
      silenceMs: this.#unbegunExpiryMs,
      metadata: keptMetadata(metadata, this.#parts.kinds),
      options,
    };
    const limits = this.#parts.admission.queueLimits(this.#scope.address);
    await IncomingUpload.open(this.#parts, this.#scope, announced, limits);
    upload.creation_date = new Date(Date.now() + this.#unbegunExpiryMs - expiryMs).toISOString();
    return upload;
  }

  /**
   * Also ends what a process began that died over it, or what found the queue full: where all bytes are here and the
   * upload is not queued yet. While there is no room the last byte counts as not sent, so that the client retries;
   * a client that is told its upload is complete does not return. Throws `unknown_upload` (404), and `upload_gone`, `upload_cancelled` or `upload_discarded` (410).
   */
  override async getUpload(id: string): Promise<Upload> {
    const record = await this.#existing(id);
    const { totalBytes, receivedBytes, metadata } = record;
    const about = { id, ...(totalBytes === null ? {} : { size: totalBytes }), metadata: { ...metadata } };
    if (record.state !== 'receiving') {
      // The request that sent the last byte may not have learnt that the upload was queued.
      if (record.state === 'queued') await removeParts(this.#parts, this.#scope, id);
      return new Upload({ ...about, offset: receivedBytes });
    }
    const { bytes } = await new UploadParts(this.#parts.storage, id).stored();
    const isKeptBack = bytes === totalBytes && !(await this.#finishIfCapacity(record));
    // The protocol's server counts the expiry from here on.
    return new Upload({
      ...about,
      offset: isKeptBack ? bytes - 1 : bytes,
      creation_date: new Date(this.#expiryBase(record, bytes > 0)).toISOString(),
    });
  }

  override async declareUploadLength(id: string, sizeBytes: number): Promise<void> {
    const record = await this.#existing(id);
    if (sizeBytes > this.#parts.maxFileBytes) {
      const error = fileTooLarge(this.#parts.maxFileBytes);
      throw await refuseUpload(this.#parts, this.#scope, record, error, record.receivedBytes);
    }
    const outcome = await this.#parts.records.announceTotal(id, record.fencingToken, sizeBytes);
    if (!outcome.applied) throw rejectionToError(outcome);
  }

  /** With the last byte the upload is queued before this resolves. Throws as `finishUpload` does. */
  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const record = await this.#existing(id);
    if (record.state !== 'receiving') return record.receivedBytes;
    const newOffset = (await this.#hasAll(record, offset))
      ? offset + (await countBytes(new StreamChunks(stream, (error) => error)))
      : await receivePart(this.#parts, this.#scope, record, offset, stream);
    if (newOffset === record.totalBytes) await finishUpload(this.#parts, this.#scope, await this.#existing(id));
    return newOffset;
  }

  override async remove(id: string): Promise<void> {
    await this.#existing(id);
    await this.#parts.removal.delete(id);
  }

  override getExpiration(): number {
    return this.#parts.expiryMs;
  }

  /** An announcement of which no byte has come is given up sooner. */
  get #unbegunExpiryMs(): number {
    return Math.min(UNBEGUN_EXPIRY_MS, this.#parts.expiryMs);
  }

  /** The time from which the protocol's server counts the expiry, by the clock of this machine, which it goes by. */
  #expiryBase({ updatedAtMs }: UploadRecord, hasBegun: boolean): number {
    const ageMs = Math.max(0, this.#parts.records.nowMs() - updatedAtMs);
    return Date.now() - ageMs - (hasBegun ? 0 : this.#parts.expiryMs - this.#unbegunExpiryMs);
  }

  /** An upload that did not end well may be begun again under its id, with none of its old bytes. */
  async #requireUnused(id: string): Promise<void> {
    const record = (await this.#parts.records.read(id))?.record;
    if (record === undefined) return;
    if (!record.deleted && (!isFinalState(record.state) || record.state === 'completed')) {
      throw new ServiceError(
        'upload_conflict',
        'There is an upload with this id. Ask with HEAD how far it is, and go on from there.',
        { id },
      );
    }
    await new UploadParts(this.#parts.storage, id).removeAll();
  }

  /** False where the queue has no room. */
  async #finishIfCapacity(record: UploadRecord): Promise<boolean> {
    try {
      await finishUpload(this.#parts, this.#scope, record);
      return true;
    } catch (error) {
      if (isLackOfCapacity(error)) return false;
      throw error;
    }
  }

  /** True where these are bytes that were kept back: they are stored already, and come for the queue alone. */
  async #hasAll({ id, totalBytes }: UploadRecord, offset: number): Promise<boolean> {
    if (totalBytes === null || offset !== totalBytes - 1) return false;
    return (await new UploadParts(this.#parts.storage, id).stored()).bytes === totalBytes;
  }

  async #existing(id: string): Promise<UploadRecord> {
    const record = (await this.#parts.records.read(id))?.record;
    // One that came in a single request is not to be changed, or even told of, by this protocol.
    if (record === undefined || (record.metadata === null && !record.deleted)) {
      throw new ServiceError('unknown_upload', 'There is no resumable upload with this id.', { id });
    }
    if (record.deleted) throw new ServiceError('upload_gone', 'This upload was deleted.', { id });
    if (record.state === 'cancelled')
      throw new ServiceError('upload_cancelled', 'The upload was cancelled.', { id, state: 'cancelled' });
    if (record.state === 'discarded')
      throw new ServiceError('upload_discarded', 'The upload made room for others.', { id, state: 'discarded' });
    if (record.state === 'failed' && !record.stored) {
      throw new ServiceError('upload_gone', `The upload has failed. ${record.error?.detail ?? ''}`.trim(), {
        id,
        state: 'failed',
      });
    }
    return record;
  }
}

async function countBytes(chunks: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}
