import type { Logger } from '../../src/telemetry/log.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadSets } from '../../src/queue/upload-sets.ts';
import { isManifestKey, uploadIdOf } from '../../src/storage/keys.ts';
import { readManifest } from '../../src/storage/manifest.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { removeUnnamedFiles } from '../../src/record/unnamed-files.ts';

/** The storage is gone through when Redis was restarted or has failed over, when it does not know that it was, and at least this often. */
const SURVEY_VALID_MS = 3_600_000;

/** Younger files without a record may be about to be removed by the request that wrote them. */
const LEAST_AGE_MS = 60_000;

/** Unfinished files that nothing was added to for so long are nobody's; a slow sender may take hours to fill a buffer. */
const UNFINISHED_AGE_MS = 24 * 3_600_000;

/** What a survey compares. */
export interface SurveyParts {
  records: UploadRecords;
  sets: Pick<UploadSets, 'surveyDue' | 'markSurveyed'>;
  queue: Pick<UploadQueue, 'add'>;
  storage: Storage;
  log: Logger;
}

/**
 * Goes through the storage where it is time to: makes record and job of stored uploads again where Redis
 * has lost them (it was emptied, or lost the last second of its log), and removes files that no record
 * and no manifest speaks for.
 */
export async function surveyStorage(parts: SurveyParts, signal: AbortSignal): Promise<void> {
  const run = await parts.sets.surveyDue();
  if (run === undefined) return;
  const nowMs = Date.now();
  const [strays, young] = [new Set<string>(), new Set<string>()];
  let restored = 0;
  for await (const { key, modifiedAt } of parts.storage.list('')) {
    if (signal.aborted) return;
    const id = uploadIdOf(key);
    if (id === undefined) continue;
    // The record comes before the first byte, so a manifest without one has lost it, however young it is.
    if (isManifestKey(key)) restored += await restore(parts, id, key);
    else if (nowMs - modifiedAt.getTime() >= LEAST_AGE_MS) strays.add(id);
    else young.add(id);
  }
  // After all manifests: an upload that was just restored names its files.
  for (const id of strays) if (!signal.aborted) await removeWhereUnknown(parts, id);
  const unfinished = await parts.storage.removeUnfinished('', new Date(nowMs - UNFINISHED_AGE_MS));
  await parts.sets.markSurveyed(run, (await hasUnknown(parts, young)) ? LEAST_AGE_MS : SURVEY_VALID_MS);
  parts.log.info({ restored, unfinished }, 'storage surveyed');
}

async function restore(parts: SurveyParts, id: string, key: string): Promise<number> {
  if ((await parts.records.read(id)) !== undefined) return 0;
  const manifest = await readManifest(parts.storage, key);
  if (manifest === undefined || manifest.id !== id) return 0;
  const outcome = await parts.records.restore(manifest);
  if (!outcome.made) return 0;
  await parts.queue.add(id);
  parts.log.info({ uploadId: id }, 'upload restored from its manifest');
  return 1;
}

/** Files that are too young to be removed yet, and may have lost their record for good. */
async function hasUnknown(parts: SurveyParts, ids: ReadonlySet<string>): Promise<boolean> {
  for (const id of ids) if ((await parts.records.read(id)) === undefined) return true;
  return false;
}

async function removeWhereUnknown(parts: SurveyParts, id: string): Promise<void> {
  if ((await parts.records.read(id)) === undefined) await removeUnnamedFiles(parts, id);
}
