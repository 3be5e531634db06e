import { randomUUID } from 'node:crypto';
import { ServiceError, toProblem } from '../errors.ts';
import { currentRequestId, requestLog } from '../http/request-context.ts';
import type { Logger } from '../log.ts';
import type { ChangeOutcome } from '../progress/record-change.ts';
import type { StoredUpload, UploadRecords } from '../progress/record.ts';
import type { UploadRecord } from '../progress/record-fields.ts';
import { manifestKey, originalKey, uploadPrefix } from '../storage/keys.ts';
import { writeManifest } from '../storage/manifest.ts';
import type { Storage } from '../storage/storage.ts';
import { receiveFile } from './receive.ts';
import { ReceiveProgress, refusalToError } from './receive-progress.ts';

/** What the intake needs of the queue. */
export interface JobAdder {
  /** Twice is once. */
  add(id: string, requestId?: string): Promise<void>;
}

/** What receiving a file needs. */
export interface IntakeParts {
  records: UploadRecords;
  storage: Storage;
  queue: JobAdder;
  log: Logger;
}

/** What is known of a file before its bytes. */
export interface FileAnnouncement {
  id: string;
  fileName: string;
  totalBytes: number | null;
}

/** How an upload may be opened: as a new one, or not at all because the id has a stored or a deleted one. */
export type OpenedUpload = { opened: IncomingUpload } | { existing: UploadRecord };

/**
 * One file on its way in, from the record's first version to the queue. The receipt it bears fences it:
 * whoever opens the same id later takes over, and this one can change nothing any more.
 * After `receive`, end it with exactly one of `enqueue`, `refuse` and `forget`.
 */
export class IncomingUpload {
  readonly record: UploadRecord;
  readonly #parts: IntakeParts;
  readonly #progress: ReceiveProgress;
  #stored: StoredUpload | undefined;

  private constructor(parts: IntakeParts, record: UploadRecord, totalBytes: number | null) {
    this.#parts = parts;
    this.record = record;
    this.#progress = new ReceiveProgress(
      (receivedBytes) => parts.records.receive(record.id, record.receipt, receivedBytes, totalBytes),
      parts.log,
    );
  }

  /** Makes or takes over the record. Throws `upload_gone` (410) for an id that was deleted. */
  static async open(parts: IntakeParts, announced: FileAnnouncement): Promise<OpenedUpload> {
    const outcome = await parts.records.open({ ...announced, receipt: randomUUID() });
    if (!outcome.made && (outcome.refusal === 'deleted' || outcome.refusal === 'expired')) {
      throw new ServiceError('upload_gone', 'The upload of this id is gone. Send the file under a new id.', { id: announced.id });
    }
    const { record } = outcome;
    if (record === undefined) throw new Error('the record did not come back');
    if (!outcome.made) return { existing: record };
    if (outcome.restarted === true) await parts.storage.removeAll(uploadPrefix(announced.id));
    return { opened: new IncomingUpload(parts, record, announced.totalBytes) };
  }

  /**
   * Streams the bytes and the manifest to storage; both are durable when it resolves. Rejects as
   * `receiveFile` does; then nothing of the file is left and `refuse` or `forget` is due.
   */
  async receive(chunks: AsyncIterable<Buffer>, options: unknown, maxBytes: number): Promise<void> {
    const { id, receipt, publicId, fileName, createdAtMs } = this.record;
    const file = { id, receipt, chunks, options, maxBytes };
    try {
      const stored = await receiveFile(this.#parts.storage, file, this.#progress);
      this.#stored = stored;
      const createdAt = new Date(createdAtMs).toISOString();
      await writeManifest(this.#parts.storage, { id, receipt, publicId, name: fileName, createdAt, ...stored });
    } catch (error) {
      await this.#removeFiles();
      throw error;
    } finally {
      await this.#progress.close();
    }
  }

  /**
   * Hands the stored file to the workers. Throws where another request has taken over, or Redis
   * cannot be asked; its files are gone then.
   */
  async enqueue(): Promise<UploadRecord> {
    const { id } = this.record;
    if (this.#stored === undefined) throw new Error('nothing is stored yet');
    const outcome = await this.#recordAsQueued(this.#stored);
    if (!outcome.made) {
      await this.#removeFiles();
      throw refusalToError(outcome.refusal);
    }
    // The record leads: it is queued from here on, and the sweep adds a job that could not be added now.
    const log = requestLog(this.#parts.log);
    log.info({ uploadId: id, type: this.#stored.type, sizeBytes: this.#stored.sizeBytes }, 'upload queued');
    await this.#parts.queue.add(id, currentRequestId()).catch((error: unknown) => log.warn({ err: error, uploadId: id }, 'job not added yet'));
    return outcome.record ?? this.record;
  }

  /** Ends the record as failed with the reason. Undefined where another request has taken over meanwhile. */
  async refuse(error: ServiceError): Promise<UploadRecord | undefined> {
    const { id, receipt } = this.record;
    const found = { receivedBytes: this.#progress.receivedBytes, type: this.#progress.type };
    const outcome = await this.#parts.records.refuse(id, receipt, toProblem(error, id), found);
    requestLog(this.#parts.log).info({ uploadId: id, code: error.code }, 'upload refused');
    return outcome.made ? outcome.record : undefined;
  }

  /** Removes files and record, as though it had never come. For ids that nobody else knows. */
  async forget(): Promise<void> {
    await this.#removeFiles();
    await this.#parts.records.forget(this.record.id, this.record.publicId);
  }

  async #recordAsQueued(stored: StoredUpload): Promise<ChangeOutcome> {
    try {
      return await this.#parts.records.enqueue(this.record.id, this.record.receipt, stored);
    } catch (error) {
      await this.#removeFiles();
      throw error;
    }
  }

  async #removeFiles(): Promise<void> {
    const { id, receipt } = this.record;
    await this.#parts.storage.remove(manifestKey(id, receipt));
    await this.#parts.storage.remove(originalKey(id, receipt));
  }
}
