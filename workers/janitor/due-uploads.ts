import { isFinalState } from '../../src/wire/documents.ts';
import { problemOf } from '../../src/errors.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import type { UploadRecord } from '../../src/record/record-fields.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import { OTHER_KIND } from '../../src/queue/contract.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadSets } from '../../src/queue/upload-sets.ts';
import { removeOrphanFiles, type FileParts } from '../../src/record/orphan-files.ts';
import { uploadPrefix } from '../../src/storage/keys.ts';
import { newestManifest } from '../../src/storage/manifest.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { inGroups } from './groups.ts';
import type { VisitSilent } from '../roads/visit-silent.ts';
import { logRemoved } from './log-removed.ts';
import { restoreUpload } from './restore-upload.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

/** The number of ids that one Redis command reads. */
const BATCH = 500;

/** The maximum number of batches in one sweep, so that due uploads do not delay the other parts of the janitor. */
const MOST_BATCHES = 20;

/** The parts that `handleDueUploads` works with. */
export interface DueParts extends FileParts {
  records: UploadRecords;
  sets: Pick<UploadSets, 'due' | 'isDue' | 'markHandled' | 'putOff'>;
  queue: Pick<UploadQueue, 'add' | 'has'>;
  storage: FileParts['storage'] & Pick<Storage, 'read' | 'removeUnfinished'>;
  /** Handles uploads whose bytes do not come through an API process. Default: there are none. */
  visitSilent?: VisitSilent;
  log: Logger;
}

/**
 * Handles every upload that is due:
 * - It is still `receiving`: its API process has died. It ends as interrupted, or is queued if all bytes are stored.
 *   If its sender puts parts into a bucket, it stays while parts arrive.
 * - It is `processing` and has sent no report for too long: its permit is added again if it does not exist any more.
 * - It is `failed`, but Redis has lost an accepted upload of the same id: that one is restored.
 * - In every case, files that the record does not name are removed.
 *
 * An upload whose handling fails is due again after a pause that grows. An upload of which a request or attempt may
 * have left files is due again when none of them can still write.
 */
export async function handleDueUploads(parts: DueParts, signal: AbortSignal): Promise<void> {
  const done = new Set<string>();
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    const { nowMs, ids } = await parts.sets.due(BATCH);
    // An upload that receives again stays due, and would otherwise be handled in every batch.
    const fresh = ids.filter((id) => !done.has(id));
    for (const id of fresh) done.add(id);
    await inGroups(fresh, signal, async (id) => await handleOrPutOff(parts, id, nowMs));
    if (signal.aborted || ids.length < BATCH || fresh.length === 0) return;
  }
}

async function handleOrPutOff(parts: DueParts, id: string, nowMs: number): Promise<void> {
  try {
    await handle(parts, id, nowMs);
  } catch (error) {
    const pauseMs = await parts.sets.putOff(id, nowMs);
    parts.log.warn({ err: error, upload: uploadRef(id), pauseMs }, 'due upload not handled');
  }
}

async function handle(parts: DueParts, id: string, nowMs: number): Promise<void> {
  const read = await parts.records.read(id);
  if (read?.record.state === 'receiving' && (await parts.sets.isDue(id, nowMs))) {
    const visit = await parts.visitSilent?.(read.record, nowMs);
    if (visit === 'active') return;
    if (visit === 'silent') return void (await parts.sets.putOff(id, nowMs));
    if (visit !== 'handled') await endSilent(parts, read.record);
  }
  if (read?.record.state === 'processing') await restorePermit(parts, read.record);
  if (read?.record.state === 'failed') await restoreUpload(parts, id);
  logRemoved(parts.log, id, await removeOrphanFiles(parts, id), 'not named by its record');
  const record = (await parts.records.read(id))?.record;
  // The upload was started again in the meantime, or Redis has lost the change made above. It stays due.
  if (record?.state === 'receiving') return;
  await parts.sets.markHandled(id, nowMs, record === undefined ? undefined : await nextDueMs(parts, record, nowMs));
}

/**
 * Adds the permit of a running attempt again if Redis has lost it. Otherwise BullMQ gives the permit to another worker
 * when its lock expires. A worker of an older version runs the attempt if the record has no permit.
 */
async function restorePermit({ queue }: DueParts, { id, permit }: UploadRecord): Promise<void> {
  if (permit === null && !(await queue.has(OTHER_KIND, id))) await queue.add(OTHER_KIND, { id });
  if (permit !== null && !(await queue.has(permit.kind, permit.id)))
    await queue.add(permit.kind, { permit: permit.id });
}

/**
 * Ends an upload whose API process has died. Call it only if the upload was still due after its record was read.
 * Otherwise a new request may have taken over. If all bytes are stored, the client may have got a 2xx, so the upload is
 * queued instead.
 */
async function endSilent({ records, queue, storage, log }: DueParts, record: UploadRecord): Promise<void> {
  const { id, version } = record;
  const manifest = await newestManifest(storage, id, record);
  if (manifest !== undefined) {
    const outcome = await records.recover(manifest, version);
    if (!outcome.applied) return;
    if (outcome.permitFor !== undefined) await queue.add(outcome.permitFor);
    log.info({ upload: uploadRef(id) }, 'stored upload queued: its API process has died');
    return;
  }
  const problem = problemOf('upload_interrupted', 'The upload stopped before it was complete. Send it again.', id);
  const outcome = await records.interrupt(id, version, problem);
  if (outcome.applied) log.info({ upload: uploadRef(id) }, 'upload interrupted: its API process has died');
}

/**
 * Returns when a final upload is due again, or undefined. Unfinished files and empty folders are removed when no
 * request or attempt can write any more. If one still can, a second visit removes them.
 */
async function nextDueMs(
  { records, storage, log }: DueParts,
  record: UploadRecord,
  nowMs: number,
): Promise<number | undefined> {
  if (!isFinalState(record.state)) return undefined;
  const silentAtMs = record.mayHaveOrphans ? record.updatedAtMs + records.silenceMs : 0;
  if (silentAtMs <= nowMs) {
    const keys = await storage.removeUnfinished(uploadPrefix(record.id), new Date(nowMs));
    logRemoved(log, record.id, keys, 'unfinished');
  }
  const nextMs = [silentAtMs, record.expiresAtMs ?? 0].filter((timeMs) => timeMs > nowMs);
  return nextMs.length === 0 ? undefined : Math.min(...nextMs);
}
