import { isFinalState } from '../../src/wire/documents.ts';
import { problemOf } from '../../src/errors.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import { removeEndedJob } from '../../src/record/ended-job.ts';
import type { UploadRecord } from '../../src/record/record-fields.ts';
import type { UploadRecords } from '../../src/record/record.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadSets } from '../../src/queue/upload-sets.ts';
import { removeUnnamedFiles, type FileParts } from '../../src/record/unnamed-files.ts';
import { uploadPrefix } from '../../src/storage/keys.ts';
import { newestManifest } from '../../src/storage/manifest.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { logRemoved } from './log-removed.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

/** Read from Redis in one go. */
const BATCH = 500;

/** More than this many wait for the next sweep, so that the other parts of one are not kept waiting. */
const MOST_BATCHES = 20;

/** What is done with uploads that are due. */
export interface DueParts extends FileParts {
  records: UploadRecords;
  sets: Pick<UploadSets, 'due' | 'settle' | 'putOff'>;
  queue: Pick<UploadQueue, 'add' | 'remove'>;
  storage: FileParts['storage'] & Pick<Storage, 'read' | 'removeUnfinished'>;
  log: Logger;
}

/**
 * Looks after every upload whose time has come: one that is still receiving has lost its process and is
 * ended, or queued where all of it is stored, one of whose attempt nothing was heard for long gets a job unless it has one, and the job of one that was
 * ended while it waited is removed, as are files that no record names any more. One that fails is due again after a growing pause,
 * and one that several have had in hand when all of them must have fallen silent.
 */
export async function lookAfterDue(parts: DueParts, signal: AbortSignal): Promise<void> {
  const done = new Set<string>();
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    const { nowMs, ids } = await parts.sets.due(BATCH);
    // One that is receiving after all stays due.
    const fresh = ids.filter((id) => !done.has(id));
    for (const id of fresh) {
      if (signal.aborted) return;
      done.add(id);
      await lookAfterOrPutOff(parts, id, nowMs);
    }
    if (ids.length < BATCH || fresh.length === 0) return;
  }
}

async function lookAfterOrPutOff(parts: DueParts, id: string, nowMs: number): Promise<void> {
  try {
    await lookAfter(parts, id, nowMs);
  } catch (error) {
    const pauseMs = await parts.sets.putOff(id, nowMs);
    parts.log.warn({ err: error, upload: uploadRef(id), pauseMs }, 'due upload not looked after');
  }
}

async function lookAfter(parts: DueParts, id: string, nowMs: number): Promise<void> {
  const read = await parts.records.read(id);
  if (read?.record.state === 'receiving') await endSilent(parts, id, read.record.version);
  if (read?.record.state === 'processing') await parts.queue.add(id);
  if (read?.record.state === 'cancelled' || read?.record.state === 'discarded') await removeEndedJob(parts, id);
  logRemoved(parts.log, id, await removeUnnamedFiles(parts, id), 'not named by the record');
  const record = (await parts.records.read(id))?.record;
  // Begun anew meanwhile, or Redis has lost what was just done: what is due stays so.
  if (record?.state === 'receiving') return;
  await parts.sets.settle(id, nowMs, record === undefined ? undefined : await nextLookMs(parts, record, nowMs));
}

/** Its process has died. Where the bytes are whole all the same they may have been answered with a 2xx, and are queued. */
async function endSilent({ records, queue, storage, log }: DueParts, id: string, version: number): Promise<void> {
  const manifest = await newestManifest(storage, id);
  if (manifest !== undefined) {
    if (!(await records.recover(manifest, version)).applied) return;
    await queue.add(id);
    log.info({ upload: uploadRef(id) }, 'stored upload queued, whose process had died');
    return;
  }
  const problem = problemOf('upload_interrupted', 'The upload broke off before it was complete. Send it again.', id);
  const outcome = await records.interrupt(id, version, problem);
  if (outcome.applied) log.info({ upload: uploadRef(id) }, 'interrupted upload ended');
}

/**
 * When an upload that has ended is due again; undefined for any other. Of one that was strewn the first look may have come
 * too early for what a request or attempt leaves that was overtaken, or killed after that: the one after the silence takes unfinished
 * files too, since nobody writes any more.
 */
async function nextLookMs(
  { records, storage, log }: DueParts,
  record: UploadRecord,
  nowMs: number,
): Promise<number | undefined> {
  if (!isFinalState(record.state)) return undefined;
  const silentAtMs = record.strewn ? record.updatedAtMs + records.silenceMs : 0;
  if (record.strewn && silentAtMs <= nowMs) {
    const keys = await storage.removeUnfinished(uploadPrefix(record.id), new Date(nowMs));
    logRemoved(log, record.id, keys, 'never finished');
  }
  const nextMs = [silentAtMs, record.expiresAtMs ?? 0].filter((timeMs) => timeMs > nowMs);
  return nextMs.length === 0 ? undefined : Math.min(...nextMs);
}
