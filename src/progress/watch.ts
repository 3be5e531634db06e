import { isFinalState, type Progress } from '../api.ts';
import type { DeferredResult } from '../deferred/deferred-result.ts';
import type { Registry } from '../deferred/registry.ts';
import { ServiceError } from '../errors.ts';
import { hold, LOOK } from './hold.ts';
import { toProgress, type ProgressState } from './progress.ts';
import { isExpired } from './record-fields.ts';
import type { ReadRecord, UploadRecords } from './record.ts';

/** What every wait on records needs. */
export interface WatchParts {
  records: Pick<UploadRecords, 'read'>;
  registry: Registry<ProgressState>;
}

/** Reads an upload that must be there. Throws `unknown_upload` (404) or `upload_gone` (410). */
export async function readExisting(records: Pick<UploadRecords, 'read'>, id: string): Promise<ReadRecord> {
  const read = await records.read(id);
  if (read === undefined) throw new ServiceError('unknown_upload', 'There is no upload with this id.', { id });
  if (read.record.deleted) throw new ServiceError('upload_gone', 'This upload was deleted.', { id });
  if (isExpired(read.record, Date.now())) throw new ServiceError('upload_gone', 'This upload was kept for as long as uploads are kept here, and is gone.', { id });
  return read;
}

/**
 * Waits until an upload's version is none of those seen, or it is final; with none seen it answers at once.
 * The answer is shaped from the Progress, which says `timedOut` where the time was up first.
 */
export async function watchProgress<Answer>(
  parts: WatchParts,
  asked: { id: string; seenVersions: readonly number[]; timeoutMs: number | undefined },
  shape: (progress: Progress) => Answer,
): Promise<DeferredResult<Answer>> {
  const { id, seenVersions } = asked;
  let seen: ReadRecord | undefined;
  const hasMoved = (state: ProgressState) => !seenVersions.includes(state.version) || isFinalState(state.state);
  return await hold(parts.registry, {
    ids: [id],
    timeoutMs: asked.timeoutMs,
    async look() {
      // A tombstone is told of to those that wait already; who comes later gets a 410.
      const read: ReadRecord = seen === undefined ? await readExisting(parts.records, id) : await readWatched(parts.records, id);
      seen = read;
      return hasMoved(read.record) ? shape(presentProgress(read)) : undefined;
    },
    heard: (event) => decideByEvent(event, seenVersions, shape),
    timeoutValue() {
      if (seen === undefined) throw new ServiceError('unknown_upload', 'There is no upload with this id.', { id });
      return shape({ ...presentProgress(seen), timedOut: true });
    },
  });
}

/** An event answers by itself where it is newer than what the client has seen and needs no place in the queue. */
function decideByEvent<Answer>(
  event: ProgressState,
  seenVersions: readonly number[],
  shape: (progress: Progress) => Answer,
): Answer | typeof LOOK | undefined {
  if (seenVersions.includes(event.version) && !isFinalState(event.state)) return undefined;
  // Smaller is an event that comes late, or a record restored from an older copy.
  if (event.version < Math.max(...seenVersions) || event.state === 'queued') return LOOK;
  return shape(toProgress(event, { nowMs: Date.now(), queuePosition: null }));
}

/** Waits until all of the uploads are final; `shape` gets them in the order asked, final or as they stand. */
export async function watchUntilFinal<Answer>(
  parts: WatchParts,
  asked: { ids: readonly string[]; timeoutMs: number | undefined },
  shape: (uploads: readonly ReadRecord[], timedOut: boolean) => Answer,
): Promise<DeferredResult<Answer>> {
  let seen: readonly ReadRecord[] = [];
  return await hold(parts.registry, {
    ids: asked.ids,
    timeoutMs: asked.timeoutMs,
    async look() {
      const isFirst = seen.length === 0;
      seen = await Promise.all(asked.ids.map((id) => (isFirst ? readExisting(parts.records, id) : readWatched(parts.records, id))));
      return seen.every(({ record }) => isFinalState(record.state)) ? shape(seen, false) : undefined;
    },
    heard: (event) => (isFinalState(event.state) ? LOOK : undefined),
    timeoutValue: () => shape(seen, true),
  });
}

/** Reads one that was there a moment ago: a tombstone is its last state. Throws `unknown_upload` (404) where nothing is left. */
export async function readWatched(records: Pick<UploadRecords, 'read'>, id: string): Promise<ReadRecord> {
  const read = await records.read(id);
  if (read === undefined) throw new ServiceError('unknown_upload', 'There is no upload with this id any more.', { id });
  return read;
}

/** The Progress of a record as read just now. */
export function presentProgress({ record, queuePosition }: ReadRecord): Progress {
  return toProgress(record, { nowMs: Date.now(), queuePosition });
}
