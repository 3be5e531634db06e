import { isFinalState } from '../../src/api.ts';
import { problemOf } from '../../src/errors.ts';
import type { Logger } from '../../src/log.ts';
import { removeEndedJob } from '../../src/progress/ended-job.ts';
import type { UploadRecords } from '../../src/progress/record.ts';
import type { UploadQueue } from '../../src/queue/upload-queue.ts';
import type { UploadSets } from '../../src/queue/upload-sets.ts';
import { removeUnnamedFiles, type FileParts } from '../../src/progress/unnamed-files.ts';
import { uploadPrefix } from '../../src/storage/keys.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** More than this many wait for the next sweep. */
const BATCH = 500;

/** What is done with uploads that are due. */
export interface DueParts extends FileParts {
  records: UploadRecords;
  sets: Pick<UploadSets, 'dueBefore' | 'settle'>;
  queue: Pick<UploadQueue, 'add' | 'remove'>;
  storage: FileParts['storage'] & Pick<Storage, 'removeUnfinished'>;
  log: Logger;
}

/**
 * Looks after every upload whose time has come: one that is still receiving has lost its process and is
 * ended, one of whose attempt nothing was heard for long gets a job unless it has one, and the job of one that was
 * ended while it waited is removed, as are files that no record names any more. One that fails is due again with the next sweep,
 * and one that several have had in hand when all of them must have fallen silent.
 */
export async function lookAfterDue(parts: DueParts, signal: AbortSignal): Promise<void> {
  const nowMs = Date.now();
  for (const id of await parts.sets.dueBefore(nowMs, BATCH)) {
    if (signal.aborted) return;
    try {
      await lookAfter(parts, id, nowMs);
    } catch (error) {
      parts.log.warn({ err: error, uploadId: id }, 'due upload not looked after');
    }
  }
}

async function lookAfter(parts: DueParts, id: string, nowMs: number): Promise<void> {
  const read = await parts.records.read(id);
  if (read?.record.state === 'receiving') {
    const problem = problemOf('upload_interrupted', 'The upload broke off before it was complete. Send it again.', id);
    const outcome = await parts.records.interrupt(id, read.record.version, problem);
    if (outcome.made) parts.log.info({ uploadId: id }, 'interrupted upload ended');
  }
  if (read?.record.state === 'processing') await parts.queue.add(id);
  if (read?.record.state === 'cancelled' || read?.record.state === 'discarded') await removeEndedJob(parts, id);
  const removed = await removeUnnamedFiles(parts, id);
  if (removed > 0) parts.log.info({ uploadId: id, removed }, 'files removed');
  await parts.sets.settle(id, nowMs, await nextLookMs(parts, id, nowMs));
}

/**
 * When an upload that has ended is due again; undefined for any other. Of one that was strewn the first look may have come
 * too early for what a request or attempt leaves that was overtaken, or killed after that: the one after the silence takes unfinished
 * files too, since nobody writes any more.
 */
async function nextLookMs({ records, storage }: DueParts, id: string, nowMs: number): Promise<number | undefined> {
  const record = (await records.read(id))?.record;
  if (record === undefined || !isFinalState(record.state)) return undefined;
  const silentAtMs = record.strewn ? record.updatedAtMs + records.silenceMs : 0;
  if (record.strewn && silentAtMs <= nowMs) await storage.removeUnfinished(uploadPrefix(id), new Date(nowMs));
  const nextMs = [silentAtMs, record.expiresAtMs ?? 0].filter((timeMs) => timeMs > nowMs);
  return nextMs.length === 0 ? undefined : Math.min(...nextMs);
}
