import { ServiceError } from '../../src/errors.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import type { ProgressState } from '../../src/record/progress.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadSets } from '../../src/queue/upload-sets.ts';
import { isFinalState } from '../../src/wire/documents.ts';
import { isOfOneFile } from '../../src/storage/file-errors.ts';
import { parseKey, type OwnKey } from '../../src/storage/keys.ts';
import type { Storage, UnfinishedFile } from '../../src/storage/storage.ts';
import { removeOrphanFiles } from '../../src/record/orphan-files.ts';
import { inGroups } from './groups.ts';
import { logRemoved } from './log-removed.ts';
import { restoreUpload } from './restore-upload.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

/** The storage is scanned at least this often, and also after a restart or failover of Redis. */
const SCAN_VALID_MS = 3_600_000;

/** Minimum age of files that are removed. The request that wrote younger ones may still create or remove them. */
const LEAST_AGE_MS = 60_000;

/**
 * An unfinished file is removed if nothing was added to it for this time. A slow sender may need hours to fill a
 * buffer.
 */
const UNFINISHED_AGE_MS = 24 * 3_600_000;

/** A scan that would remove more uploads than both limits points to a wrong setting or a lost Redis. */
const USUAL_REMOVALS = 100;
const USUAL_SHARE = 0.2;

/** The parts that `reconcileStorage` works with. */
export interface ReconciliationParts {
  records: UploadRecords;
  sets: Pick<UploadSets, 'reconciliationDue' | 'markReconciled' | 'mayRemove' | 'endPermit'>;
  queue: Pick<UploadQueue, 'add'>;
  storage: Storage;
  log: Logger;
  /** A resumable upload in a bucket is not removed before it was idle for this time. */
  uploadExpiryMs: number;
}

/**
 * The age of the files of an upload, without its manifests. `old`: at least one file is old enough to be removed.
 * `none`: the upload has no other files.
 */
type Age = 'none' | 'young' | 'old';

/** Manifests are compared with their records in batches of this size while the walk goes on. */
const BATCH = 256;

/** The outcome of a walk through the storage. */
interface Walk {
  /** Every upload that has files. */
  seen: Map<string, Age>;
  /** Uploads with files of more than one request. The record names those of one at most. */
  several: Set<string>;
  restored: number;
}

/**
 * Runs the reconciliation scan over the whole storage if it is due. If Redis has lost the record of a stored upload,
 * the scan restores record and permit from the manifest. It removes the files of uploads that have neither record nor
 * manifest. It never touches files whose names are not from this service.
 */
export async function reconcileStorage(parts: ReconciliationParts, signal: AbortSignal): Promise<void> {
  const due = await parts.sets.reconciliationDue();
  if (due === undefined) return;
  const { nowMs } = due;
  const walk = await walkStorage(parts, nowMs, signal);
  if (signal.aborted) return;
  // This check comes after all manifests are read, because a restored upload has a record that names its files.
  const unknown = await withoutRecord(parts, walk.seen, signal);
  if (signal.aborted) return;
  const removable = unknown.filter((id) => walk.seen.get(id) === 'old');
  if (!(await mayRemove(parts, removable.length, walk.seen.size))) {
    await parts.sets.markReconciled(due, SCAN_VALID_MS);
    return;
  }
  const removed = await removeEach(parts, removable, 'no record and no manifest', signal);
  const missing = new Set(unknown);
  const several = [...walk.several].filter((id) => !missing.has(id));
  await removeEach(parts, several, 'stored by an earlier request', signal);
  if (signal.aborted) return;
  const unfinished = await removeUnfinished(parts, nowMs);
  await parts.sets.endPermit();
  const isSoon = unknown.some((id) => walk.seen.get(id) === 'young');
  await parts.sets.markReconciled(due, isSoon ? LEAST_AGE_MS : SCAN_VALID_MS);
  parts.log.info({ restored: walk.restored, removed, unfinished }, 'storage reconciled');
}

/** Returns the number of uploads that had orphan files. */
async function removeEach(
  parts: ReconciliationParts,
  ids: readonly string[],
  reason: string,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  for (const id of ids) {
    if (signal.aborted) return removed;
    const keys = await skipFaulty(parts, id, [], async () => await removeOrphanFiles(parts, id));
    logRemoved(parts.log, id, keys, reason);
    removed += Math.min(1, keys.length);
  }
  return removed;
}

/** Returns the number of files. */
async function removeUnfinished(parts: ReconciliationParts, nowMs: number): Promise<number> {
  const oldBefore = new Date(nowMs - Math.max(UNFINISHED_AGE_MS, parts.uploadExpiryMs));
  // A small file is stored before its record. If that fails, the client may send it again under the same id, so the
  // upload may have ended since. Every other request or attempt writes while its upload has not ended.
  const mayRemove = async ({ key, modifiedAt }: UnfinishedFile): Promise<boolean> =>
    modifiedAt < oldBefore || !(await hasRecord(parts, parseKey(key)?.id ?? '', isOpen));
  const removed = await parts.storage.removeUnfinished('', new Date(nowMs - LEAST_AGE_MS), mayRemove);
  for (const key of removed) logRemoved(parts.log, parseKey(key)?.id ?? '', [key], 'unfinished');
  return removed.length;
}

async function walkStorage(parts: ReconciliationParts, nowMs: number, signal: AbortSignal): Promise<Walk> {
  const walk: Walk = { seen: new Map(), several: new Set(), restored: 0 };
  let unreadable = 0;
  const onUnreadable = (): void => void (unreadable += 1);
  const stored = new Set<string>();
  let last: OwnKey | undefined;
  const restoreStored = async (): Promise<void> => {
    const counts = await inGroups(
      [...stored],
      signal,
      async (id) => await skipFaulty(parts, id, 0, () => restore(parts, id)),
    );
    stored.clear();
    walk.restored += counts.reduce((sum, count) => sum + count, 0);
  };
  for await (const { key, modifiedAt } of parts.storage.list('', onUnreadable)) {
    if (signal.aborted) break;
    const own = parseKey(key);
    if (own === undefined) continue;
    // A manifest without a record, however young, means that the record is lost. Or the request that stored a small
    // file creates the record in this moment. It then finds the restored one and takes it as its own.
    if (own.kind === 'manifest') stored.add(own.id);
    if (own.fencingToken !== undefined) {
      // The drivers list the files of one upload together. Files that are missed here stay until the retention ends.
      if (own.id === last?.id && own.fencingToken !== last.fencingToken) walk.several.add(own.id);
      last = own;
    }
    if (stored.size >= BATCH) await restoreStored();
    const age = own.kind === 'manifest' ? 'none' : nowMs - modifiedAt.getTime() >= LEAST_AGE_MS ? 'old' : 'young';
    const known = walk.seen.get(own.id) ?? 'none';
    walk.seen.set(own.id, known === 'none' || age === 'old' ? age : known);
  }
  await restoreStored();
  if (unreadable > 0) parts.log.warn({ folders: unreadable }, 'unreadable folders of the storage skipped');
  return walk;
}

/**
 * Runs one step of the scan. If the record or a file of the upload cannot be used, the step is skipped, and the scan
 * continues with the other uploads. If Redis or the storage is away, the scan ends.
 */
async function skipFaulty<T>({ log }: ReconciliationParts, id: string, skipped: T, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof ServiceError && !isOfOneFile(error)) throw error;
    log.warn({ err: error, upload: uploadRef(id) }, 'upload skipped by the reconciliation scan');
    return skipped;
  }
}

async function restore(parts: ReconciliationParts, id: string): Promise<number> {
  const record = (await parts.records.readProgress(id))?.state;
  if (record !== undefined && !mayBeBehind(record)) return 0;
  return (await restoreUpload(parts, id)) ? 1 : 0;
}

/**
 * Returns whether Redis may have lost the newest request of an upload by going back to an older state. The script
 * decides it by comparing the record with the manifest.
 */
function mayBeBehind({ state, deleted }: ProgressState): boolean {
  return !deleted && (state === 'failed' || state === 'cancelled' || state === 'discarded');
}

async function withoutRecord(parts: ReconciliationParts, seen: Walk['seen'], signal: AbortSignal): Promise<string[]> {
  const ids = [...seen.keys()];
  const found = await inGroups(ids, signal, async (id) => await hasRecord(parts, id));
  return ids.filter((_id, index) => found[index] === false);
}

function isOpen({ state }: ProgressState): boolean {
  return !isFinalState(state);
}

/**
 * Returns whether a record exists that meets the condition. A record that cannot be read counts as such a record.
 * Default: every record meets it.
 */
async function hasRecord(
  { records }: ReconciliationParts,
  id: string,
  condition: (record: ProgressState) => boolean = () => true,
): Promise<boolean> {
  try {
    const read = await records.readProgress(id);
    return read !== undefined && condition(read.state);
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    return true;
  }
}

const REMOVAL_ADVICE =
  'Compare STORAGE, REDIS_URL and QUEUE_PREFIX with the other processes. ' +
  'To allow the removal once, see docs/storage.md.';

/**
 * Returns whether `count` uploads may be removed. An unusual number needs the permission of an operator, because the
 * storage may belong to another Redis.
 */
async function mayRemove({ sets, log }: ReconciliationParts, count: number, seen: number): Promise<boolean> {
  if (count <= Math.max(USUAL_REMOVALS, seen * USUAL_SHARE) || (await sets.mayRemove(count))) return true;
  log.error(
    { wouldRemove: count, seen, advice: REMOVAL_ADVICE },
    'reconciliation scan removed nothing: too many uploads',
  );
  return false;
}
