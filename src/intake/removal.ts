import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { removeOrphanFiles } from '../record/orphan-files.ts';
import type { ChangeOutcome } from '../record/record-change.ts';
import type { ReadRecord } from '../record/read-record.ts';
import type { UploadRecords } from '../record/record.ts';
import { readExisting } from '../record/read-existing.ts';
import { uploadPrefix } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** The parts that the removal of uploads needs. */
export interface RemovalParts {
  records: UploadRecords;
  storage: Pick<Storage, 'removeAll' | 'list' | 'remove'>;
  /** The responses that are sending files of the upload. */
  transfers: { end(id: string): void };
  log: Logger;
}

/** Cancels and deletes uploads on request. The record is changed first, then the files are removed. */
export class UploadRemoval {
  readonly #parts: RemovalParts;

  constructor(parts: RemovalParts) {
    this.#parts = parts;
  }

  /**
   * Cancels an upload that is receiving, queued or processing, in any process. `stopped` is false if the
   * upload was already final. Throws `unknown_upload` (404) or `upload_gone` (410).
   */
  async cancel(id: string): Promise<{ upload: ReadRecord; stopped: boolean }> {
    const outcome = await this.#parts.records.cancel(id);
    if (outcome.applied) await this.#orLog(id, removeOrphanFiles(this.#parts, id));
    return { upload: await readExisting(this.#parts.records, id), stopped: outcome.applied };
  }

  /**
   * Stops the upload, removes all its files and leaves a tombstone. Throws `unknown_upload` (404) or `upload_gone`
   * (410).
   */
  async delete(id: string): Promise<void> {
    const outcome = await this.#parts.records.delete(id);
    throwIfNotThere(id, outcome);
    this.#parts.transfers.end(id);
    await this.#orLog(id, this.#parts.storage.removeAll(uploadPrefix(id)));
  }

  /** Logs a failure, because the record is already changed. The janitor repeats the cleanup. */
  async #orLog(id: string, work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => this.#parts.log.warn({ err: error, upload: uploadRef(id) }, 'cleanup failed'));
  }
}

function throwIfNotThere(id: string, outcome: ChangeOutcome): void {
  if (outcome.applied) return;
  if (outcome.rejection === 'deleted' || outcome.rejection === 'expired') {
    throw new ServiceError(
      'upload_gone',
      'This upload was already deleted or has expired. There is nothing left to delete.',
      { id },
    );
  }
  throw new ServiceError('unknown_upload', 'There is no upload with this id. Check the id.', { id });
}
