import type { FailedUpload } from '../wire/documents.ts';
import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { available, type Redis } from '../queue/connection.ts';
import type { QueueKeys } from '../queue/contract.ts';
import { isRetryable, type UploadRecord } from './record-fields.ts';
import type { UploadRecords } from './record.ts';
import { readExisting } from './read-existing.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** The parts that `FailedUploads` needs. */
export interface FailedUploadParts {
  connection: Redis;
  keys: QueueKeys;
  records: Pick<UploadRecords, 'read' | 'retry' | 'nowMs'>;
  queue: { add(kind: string): Promise<void> };
  log: Logger;
}

/**
 * Failed uploads whose files may be sound. Their bytes are kept until they expire, so an operator can have them
 * processed again.
 */
export class FailedUploads {
  readonly #parts: FailedUploadParts;
  readonly #retentionMs: number;

  constructor(parts: FailedUploadParts, retentionMs: number) {
    this.#parts = parts;
    this.#retentionMs = retentionMs;
  }

  /** Returns the number of such uploads and the newest of them, at most `limit`. */
  async list(limit: number): Promise<{ count: number; newest: FailedUpload[] }> {
    const { connection, keys, records } = this.#parts;
    const since = records.nowMs() - this.#retentionMs;
    const ids = await available(() => connection.zrevrangebyscore(keys.failed, '+inf', since, 'LIMIT', 0, limit));
    const count = await available(() => connection.zcount(keys.failed, since, '+inf'));
    const reads = await Promise.all(ids.map((id) => records.read(id)));
    return { count, newest: reads.flatMap((read) => (read === undefined ? [] : toFailedUpload(read.record))) };
  }

  /**
   * Queues the upload again, with its stored bytes. Its faults and deaths are reset; its percent stays. Throws
   * `unknown_upload` (404), `upload_gone` (410), and `not_retryable` (409) if another try cannot help.
   */
  async retry(id: string): Promise<void> {
    const { records, queue, log } = this.#parts;
    const { record } = await readExisting(records, id);
    if (!mayBeRetried(record)) throw notRetryable(id);
    const outcome = await records.retry(id, record.version);
    if (!outcome.applied) throw notRetryable(id);
    log.info({ upload: uploadRef(id) }, 'failed upload queued again');
    if (outcome.permitFor === undefined) return;
    // The record is queued already. The janitor adds the permit if it cannot be added here.
    await queue
      .add(outcome.permitFor)
      .catch((error: unknown) =>
        log.warn({ err: error, upload: uploadRef(id) }, 'permit not added, the janitor will add it'),
      );
  }

  /** Like `retry`, for the `ref` of a listed upload. No error contains the id. */
  async retryListed(ref: string): Promise<void> {
    const { connection, keys } = this.#parts;
    const ids = await available(() => connection.zrevrange(keys.failed, 0, -1));
    const id = ids.find((candidate) => uploadRef(candidate) === ref);
    if (id === undefined)
      throw new ServiceError('unknown_upload', 'No failed upload has this hash. Read the list again.');
    await this.retry(id).catch((error: unknown) => {
      throw withoutId(error);
    });
  }
}

/** Removes the id from an error, because an operator who has only the ref of an upload must not receive it. */
function withoutId(error: unknown): unknown {
  return error instanceof ServiceError ? new ServiceError(error.code, error.message, { cause: error }) : error;
}

function mayBeRetried({ state, stored, deleted, error }: UploadRecord): boolean {
  return state === 'failed' && stored && !deleted && error !== null && isRetryable(error);
}

/** Returns an empty list if the upload was queued again in the meantime. */
function toFailedUpload(record: UploadRecord): FailedUpload[] {
  const { id, fileName, type, receivedBytes, attempt, attemptBase, updatedAtMs, error } = record;
  if (!mayBeRetried(record) || error === null) return [];
  const failedAt = new Date(updatedAtMs).toISOString();
  return [
    {
      ref: uploadRef(id),
      name: fileName,
      type,
      size: receivedBytes,
      attempts: attempt - attemptBase,
      code: error.code,
      failedAt,
    },
  ];
}

function notRetryable(id: string): ServiceError {
  return new ServiceError(
    'not_retryable',
    'This upload cannot be retried: it has not failed, its file is at fault, or a retry is running. Read its state.',
    { id },
  );
}
