import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { removeEndedJob, removeOrphanFiles } from '../record/orphan-files.ts';
import type { ChangeOutcome } from '../record/record-change.ts';
import type { ReadRecord } from '../record/read-record.ts';
import type { UploadRecords } from '../record/record.ts';
import { readExisting } from '../record/watch.ts';
import { uploadPrefix } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** What ending an upload needs. */
export interface RemovalParts {
  records: UploadRecords;
  storage: Pick<Storage, 'removeAll' | 'list' | 'remove'>;
  queue: { add(id: string): Promise<void>; remove(id: string): Promise<void> };
  /** Responses that send files of the upload. */
  transfers: { end(id: string): void };
  log: Logger;
}

/** Ends uploads at somebody's wish. The record decides; the job, the files and whoever works on them follow. */
export class UploadRemoval {
  readonly #parts: RemovalParts;

  constructor(parts: RemovalParts) {
    this.#parts = parts;
  }

  /**
   * Stops receiving, queued or processing work wherever it runs. `stopped` is false where the upload
   * was final already and keeps its outcome. Throws `unknown_upload` (404) or `upload_gone` (410).
   */
  async cancel(id: string): Promise<{ upload: ReadRecord; stopped: boolean }> {
    const outcome = await this.#parts.records.cancel(id);
    if (outcome.applied) {
      await this.#orLog(id, removeEndedJob(this.#parts, id));
      await this.#orLog(id, removeOrphanFiles(this.#parts, id));
    }
    return { upload: await readExisting(this.#parts.records, id), stopped: outcome.applied };
  }

  /** Cancels what is under way, removes all files and leaves a tombstone. Throws `unknown_upload` (404) or `upload_gone` (410). */
  async delete(id: string): Promise<void> {
    const outcome = await this.#parts.records.delete(id);
    throwIfNotThere(id, outcome);
    this.#parts.transfers.end(id);
    await this.#orLog(id, this.#parts.queue.remove(id));
    await this.#orLog(id, this.#parts.storage.removeAll(uploadPrefix(id)));
  }

  /** What fails here is done by the sweep; the outcome stands. */
  async #orLog(id: string, work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => this.#parts.log.warn({ err: error, upload: uploadRef(id) }, 'not cleaned up'));
  }
}

function throwIfNotThere(id: string, outcome: ChangeOutcome): void {
  if (outcome.applied) return;
  if (outcome.rejection === 'deleted' || outcome.rejection === 'expired') {
    throw new ServiceError('upload_gone', 'This upload is gone already.', { id });
  }
  throw new ServiceError('unknown_upload', 'There is no upload with this id.', { id });
}
