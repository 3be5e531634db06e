import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { removeOrphanFiles } from '../record/orphan-files.ts';
import type { ChangeOutcome } from '../record/change-outcome.ts';
import type { UploadRecord } from '../record/record-fields.ts';
import type { UploadRecords } from '../record/record.ts';
import { unknownUpload } from '../record/read-existing.ts';
import { uploadPrefix } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** The parts that the removal of uploads needs. */
export interface RemovalParts {
  records: UploadRecords;
  storage: Pick<Storage, 'list' | 'read' | 'remove' | 'removeAll'>;
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
   * Cancels an upload that is receiving, queued or processing, in any process, and returns its record as the cancel
   * left it. `stopped` is false if the upload was already final. Throws `unknown_upload` (404) or `upload_gone` (410).
   */
  async cancel(id: string): Promise<{ record: UploadRecord; stopped: boolean }> {
    const outcome = await this.#parts.records.cancel(id);
    throwIfGone(id, outcome);
    // The record is not read again: the same id may have begun, or begun again, since the cancel was decided.
    if (outcome.record === undefined) throw unknownUpload(id);
    if (outcome.applied) await this.#orLog(id, removeOrphanFiles(this.#parts, id));
    return { record: outcome.record, stopped: outcome.applied };
  }

  /**
   * Stops the upload, removes all its files and leaves a tombstone. Throws `unknown_upload` (404) or `upload_gone`
   * (410).
   */
  async delete(id: string): Promise<void> {
    const outcome = await this.#parts.records.delete(id);
    throwIfGone(id, outcome);
    if (!outcome.applied) throw unknownUpload(id);
    this.#parts.transfers.end(id);
    await this.#orLog(id, this.#parts.storage.removeAll(uploadPrefix(id)));
  }

  /** Logs a failure, because the record is already changed. The janitor repeats the cleanup. */
  async #orLog(id: string, work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) =>
      this.#parts.log.warn({ err: error, upload: uploadRef(id) }, 'files not removed, the janitor will retry'),
    );
  }
}

function throwIfGone(id: string, outcome: ChangeOutcome): void {
  if (outcome.applied || !['deleted', 'expired'].includes(outcome.rejection)) return;
  throw new ServiceError('upload_gone', 'This upload was deleted or has expired. Its files are already removed.', {
    id,
  });
}
