import type { RequestScope } from '../http/request-scope.ts';
import { removeOrphanFiles, type FileParts } from '../record/orphan-files.ts';
import type { StoredUpload } from '../record/open-record.ts';
import { asSeen, type ReadRecord } from '../record/read-record.ts';
import type { ChangeOutcome } from '../record/change-outcome.ts';
import type { UploadRecord } from '../record/record-fields.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** The members of the queue that the intake uses. */
export interface JobQueue {
  /** Adds a permit, with which a worker may begin one upload of the kind. */
  add(kind: string): Promise<void>;
}

interface QueuedParts extends FileParts {
  queue: JobQueue;
  admission: { discarded(): void };
}

/**
 * Finishes the queueing of an upload after its script: adds the permit and removes the files of evicted uploads. Both
 * may fail, because the janitor finishes the work.
 */
export async function afterQueued(
  parts: QueuedParts,
  { log }: Pick<RequestScope, 'log'>,
  record: UploadRecord,
  stored: StoredUpload,
  outcome: Extract<ChangeOutcome, { applied: true }>,
): Promise<ReadRecord> {
  const { id } = record;
  log.info({ upload: uploadRef(id), type: stored.type, sizeBytes: stored.sizeBytes }, 'upload queued');
  const added = outcome.permitFor === undefined ? undefined : parts.queue.add(outcome.permitFor);
  await added?.catch((error: unknown) =>
    log.warn({ err: error, upload: uploadRef(id) }, 'permit not added, the janitor will add it'),
  );
  for (const evicted of outcome.discarded ?? []) {
    log.info({ upload: uploadRef(evicted) }, 'upload discarded');
    parts.admission.discarded();
    await removeOrphanFiles(parts, evicted).catch((error: unknown) =>
      log.warn({ err: error, upload: uploadRef(evicted) }, 'files of evicted upload not removed'),
    );
  }
  return queued(record, outcome);
}

/** Returns a record that was just queued, with its place. */
export function queued(record: UploadRecord, { queuePosition }: ChangeOutcome): ReadRecord {
  return { ...asSeen(record), queuePosition: queuePosition ?? null };
}
