import { ServiceError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { ChangeOutcome } from '../progress/record-change.ts';
import type { ReadRecord, UploadRecords } from '../progress/record.ts';
import { readExisting } from '../progress/watch.ts';
import { uploadPrefix } from '../storage/keys.ts';
import type { Storage } from '../storage/storage.ts';

/** What ending an upload needs. */
export interface RemovalParts {
  records: UploadRecords;
  storage: Pick<Storage, 'removeAll'>;
  queue: { remove(id: string): Promise<void> };
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
    if (outcome.made) await this.#cleanUp(id);
    return { upload: await readExisting(this.#parts.records, id), stopped: outcome.made };
  }

  /** Cancels what is under way, removes all files and leaves a tombstone. Throws `unknown_upload` (404) or `upload_gone` (410). */
  async delete(id: string): Promise<void> {
    const outcome = await this.#parts.records.bury(id);
    throwIfNotThere(id, outcome);
    await this.#cleanUp(id);
  }

  /** What fails here is removed by the sweep; the outcome stands. */
  async #cleanUp(id: string): Promise<void> {
    const { log, queue, storage } = this.#parts;
    await queue.remove(id).catch((error: unknown) => log.warn({ err: error, uploadId: id }, 'job not removed'));
    await storage.removeAll(uploadPrefix(id)).catch((error: unknown) => log.warn({ err: error, uploadId: id }, 'files not removed'));
  }
}

function throwIfNotThere(id: string, outcome: ChangeOutcome): void {
  if (outcome.made) return;
  if (outcome.refusal === 'deleted' || outcome.refusal === 'expired') {
    throw new ServiceError('upload_gone', 'This upload is gone already.', { id });
  }
  throw new ServiceError('unknown_upload', 'There is no upload with this id.', { id });
}
