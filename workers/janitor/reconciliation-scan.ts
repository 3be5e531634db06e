import type { Logger } from '../../src/telemetry/log.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadSets } from '../../src/queue/upload-sets.ts';
import { parseKey } from '../../src/storage/keys.ts';
import { newestManifest } from '../../src/storage/manifest.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { removeUnnamedFiles } from '../../src/record/unnamed-files.ts';
import { logRemoved } from './log-removed.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

/** The storage is scanned when Redis was restarted or has failed over, when it does not know that it was, and at least this often. */
const SCAN_VALID_MS = 3_600_000;

/** Younger files without a record may be about to be removed by the request that wrote them. */
const LEAST_AGE_MS = 60_000;

/** Nobody writes unfinished files to which nothing was added for so long; a slow sender may take hours to fill a buffer. */
const UNFINISHED_AGE_MS = 24 * 3_600_000;

/** A scan that would remove more uploads than this, and than this share of all, points to a wrong setting or a lost Redis. */
const USUAL_REMOVALS = 100;
const USUAL_SHARE = 0.2;

/** What a survey compares. */
export interface ReconciliationParts {
  records: UploadRecords;
  sets: Pick<UploadSets, 'reconciliationDue' | 'markReconciled' | 'mayRemove' | 'endPermit'>;
  queue: Pick<UploadQueue, 'add'>;
  storage: Storage;
  log: Logger;
}

/** Of an upload's files besides manifests: `old` if one of them is old enough to be removed, `none` if there are no others. */
type Age = 'none' | 'young' | 'old';

/** What a walk through the storage has found. */
interface Walk {
  /** Every upload that has files. */
  seen: Map<string, Age>;
  restored: number;
}

/**
 * The reconciliation scan. Goes through the storage when it is due: makes record and job of stored uploads again if Redis
 * has lost them (it was emptied, or lost the last second of its log), and removes files of uploads without record and
 * manifest. Files that this service did not name are never touched.
 */
export async function reconcileStorage(parts: ReconciliationParts, signal: AbortSignal): Promise<void> {
  const run = await parts.sets.reconciliationDue();
  if (run === undefined) return;
  const nowMs = Date.now();
  const walk = await walkStorage(parts, nowMs, signal);
  if (signal.aborted) return;
  // After all manifests: an upload that was just restored names its files.
  const unknown = await withoutRecord(parts, walk.seen);
  const doomed = unknown.filter((id) => walk.seen.get(id) === 'old');
  if (!(await mayRemove(parts, doomed.length, walk.seen.size))) {
    await parts.sets.markReconciled(run, SCAN_VALID_MS);
    return;
  }
  let removed = 0;
  for (const id of doomed) {
    if (signal.aborted) return;
    const keys = await removeUnnamedFiles(parts, id);
    logRemoved(parts.log, id, keys, 'no record and no manifest');
    removed += Math.min(1, keys.length);
  }
  const unfinished = await parts.storage.removeUnfinished('', new Date(nowMs - UNFINISHED_AGE_MS));
  for (const key of unfinished) logRemoved(parts.log, parseKey(key)?.id ?? '', [key], 'never finished');
  await parts.sets.endPermit();
  const isSoon = unknown.some((id) => walk.seen.get(id) === 'young');
  await parts.sets.markReconciled(run, isSoon ? LEAST_AGE_MS : SCAN_VALID_MS);
  parts.log.info({ restored: walk.restored, removed, unfinished: unfinished.length }, 'storage reconciled');
}

async function walkStorage(parts: ReconciliationParts, nowMs: number, signal: AbortSignal): Promise<Walk> {
  const walk: Walk = { seen: new Map(), restored: 0 };
  let unreadable = 0;
  const onUnreadable = (): void => void (unreadable += 1);
  for await (const { key, modifiedAt } of parts.storage.list('', onUnreadable)) {
    if (signal.aborted) break;
    const own = parseKey(key);
    if (own === undefined) continue;
    // The record comes before the first byte, so a manifest without one has lost it, however young it is.
    if (own.kind === 'manifest') walk.restored += await restore(parts, own.id);
    const age = own.kind === 'manifest' ? 'none' : nowMs - modifiedAt.getTime() >= LEAST_AGE_MS ? 'old' : 'young';
    const known = walk.seen.get(own.id) ?? 'none';
    walk.seen.set(own.id, known === 'none' || age === 'old' ? age : known);
  }
  if (unreadable > 0)
    parts.log.warn({ folders: unreadable }, 'folders of the storage cannot be read, and were skipped');
  return walk;
}

async function restore(parts: ReconciliationParts, id: string): Promise<number> {
  if ((await parts.records.read(id)) !== undefined) return 0;
  const manifest = await newestManifest(parts.storage, id);
  if (manifest === undefined) return 0;
  const outcome = await parts.records.restore(manifest);
  if (!outcome.applied) return 0;
  await parts.queue.add(id);
  parts.log.info({ upload: uploadRef(id) }, 'upload restored from its manifest');
  return 1;
}

async function withoutRecord(parts: ReconciliationParts, seen: Walk['seen']): Promise<string[]> {
  const unknown: string[] = [];
  for (const id of seen.keys()) if ((await parts.records.read(id)) === undefined) unknown.push(id);
  return unknown;
}

/** An unusual number needs the permission of an operator. Otherwise nothing is removed: the storage may belong to another Redis. */
async function mayRemove({ sets, log }: ReconciliationParts, count: number, seen: number): Promise<boolean> {
  if (count <= Math.max(USUAL_REMOVALS, seen * USUAL_SHARE) || (await sets.mayRemove(count))) return true;
  log.error(
    { wouldRemove: count, seen },
    'the scan of the storage would remove an unusual number of uploads, and has removed nothing: compare STORAGE, ' +
      'REDIS_URL and QUEUE_PREFIX with the other processes; to allow it once see docs/storage.md',
  );
  return false;
}
