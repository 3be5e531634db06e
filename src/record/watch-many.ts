import type { ProgressList } from '../wire/documents.ts';
import type { DeferredResult } from '../deferred/deferred-result.ts';
import { ServiceError, toProblem } from '../errors.ts';
import { hold, LOOK } from './hold.ts';
import type { ProgressState } from './progress.ts';
import type { ReadRecord } from './read-record.ts';
import { presentProgress, readExisting, readWatched, type WatchParts } from './watch.ts';

/** One upload of a page, and the version its page has seen; undefined where it has seen none. */
export interface WatchedUpload {
  id: string;
  since: number | undefined;
  /** An id that cannot be watched, answered in its place. */
  error?: ServiceError;
}

/**
 * Waits until one of the uploads has moved and answers with all that have: one held request
 * watches a whole page. One that is unknown is answered in its place, at once. On timeout none has
 * moved, so the list is empty.
 */
export async function watchMany<Answer>(
  parts: WatchParts,
  asked: { uploads: readonly WatchedUpload[]; timeoutMs: number | undefined },
  shape: (list: ProgressList) => Answer,
): Promise<DeferredResult<Answer>> {
  const { uploads, timeoutMs } = asked;
  const seenVersions = new Map<string, Set<number | undefined>>();
  for (const { id, since, error } of uploads) {
    // Nothing from outside that is no id may name what is listened to.
    if (error === undefined) seenVersions.set(id, (seenVersions.get(id) ?? new Set()).add(since));
  }
  let isFirstLook = true;
  return await hold(parts.registry, {
    ids: [...seenVersions.keys()],
    timeoutMs,
    async look() {
      // A tombstone is told of to those that wait already; who comes later is told that it is gone.
      const read = isFirstLook ? readExisting : readWatched;
      const entries = await Promise.all(uploads.map((upload) => entryOf(upload, (id) => read(parts.records, id))));
      isFirstLook = false;
      const moved = entries.filter((entry) => entry !== undefined);
      return moved.length === 0 ? undefined : shape({ uploads: moved, timedOut: false });
    },
    heard: (event) => (isNews(event, seenVersions.get(event.id)) ? LOOK : undefined),
    timeoutValue: () => shape({ uploads: [], timedOut: true }),
  });
}

/** Undefined where the upload stands as its page has seen it. */
async function entryOf(
  upload: WatchedUpload,
  readRecord: (id: string) => Promise<ReadRecord>,
): Promise<ProgressList['uploads'][number] | undefined> {
  const { id, since, error } = upload;
  if (error !== undefined) return { id, error: toProblem(error, id) };
  try {
    const read = await readRecord(id);
    return read.record.version === since ? undefined : presentProgress(read);
  } catch (failure) {
    if (!(failure instanceof ServiceError) || failure.status >= 500) throw failure;
    return { id, error: toProblem(failure, id) };
  }
}

function isNews(event: ProgressState, seen: Set<number | undefined> | undefined): boolean {
  return seen === undefined || seen.size > 1 || !seen.has(event.version);
}
