import type { Logger } from '../../src/telemetry/log.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import { newestManifest } from '../../src/storage/manifest.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

/** The parts that `restoreUpload` works with. */
export interface RestoreParts {
  records: Pick<UploadRecords, 'read' | 'restore'>;
  queue: Pick<UploadQueue, 'add'>;
  storage: Pick<Storage, 'list' | 'read'>;
  log: Logger;
}

/**
 * Queues a stored upload from its newest manifest if Redis has lost it, and returns whether that was so. The script
 * decides it by comparing the record with the manifest.
 */
export async function restoreUpload({ records, queue, storage, log }: RestoreParts, id: string): Promise<boolean> {
  const manifest = await newestManifest(storage, id, (await records.read(id))?.record);
  if (manifest === undefined) return false;
  const outcome = await records.restore(manifest);
  if (!outcome.applied) return false;
  if (outcome.permitFor !== undefined) await queue.add(outcome.permitFor);
  log.info({ upload: uploadRef(id) }, 'upload restored from its manifest');
  return true;
}
