import type { Kinds } from '../../src/kinds/kinds.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadRecord } from '../../src/record/record-fields.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import { visitDirect, type Visit } from '../../src/roads/direct/abandoned-direct.ts';
import { isDirect } from '../../src/roads/direct/part-plan.ts';
import type { ImportQueue } from '../../src/roads/import/import-queue.ts';
import type { Config } from '../../src/settings/config.ts';
import { newestManifest } from '../../src/storage/manifest.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { Logger } from '../../src/telemetry/log.ts';

/** The parts that the visits need. */
export interface VisitParts {
  records: UploadRecords;
  storage: Storage;
  queue: Pick<UploadQueue, 'add'>;
  imports: Pick<ImportQueue, 'add'>;
  /** All kinds of files that the service accepts. */
  kinds: Kinds;
  log: Logger;
}

/** Handles a receiving upload that is due. Undefined if its bytes come in requests to an API process. */
export type VisitSilent = (record: UploadRecord, nowMs: number) => Promise<Visit | undefined>;

/** Returns the janitor's visit of uploads whose bytes do not come through an API process. */
export function silentVisitor(
  { uploadExpiryMs: expiryMs }: Pick<Config, 'uploadExpiryMs'>,
  parts: VisitParts,
): VisitSilent {
  return async (record, nowMs) => {
    const { direct } = parts.storage;
    if (record.road?.name === 'import') return await visitImport(parts, record);
    if (!isDirect(record) || direct === undefined) return undefined;
    return await visitDirect({ ...parts, direct, expiryMs }, record, nowMs);
  };
}

/**
 * Adds the job again if Redis has lost it or a process died before it could add it. If all bytes are stored, the worker
 * died before it queued the upload. Then this function does nothing, and its caller queues the upload.
 */
async function visitImport({ storage, imports }: VisitParts, record: UploadRecord): Promise<Visit | undefined> {
  if ((await newestManifest(storage, record.id, record)) !== undefined) return undefined;
  await imports.add(record.id);
  return 'silent';
}
