import { isFinalState, type Progress } from '../wire/documents.ts';
import type { DeferredResult } from '../deferred/deferred-result.ts';
import type { Registry } from '../deferred/registry.ts';
import { ServiceError } from '../errors.ts';
import { hold, LOOK, type Wait } from './hold.ts';
import { toProgress, type ProgressState } from './progress.ts';
import { isExpired } from './record-fields.ts';
import type { ReadProgress, ReadRecord } from './read-record.ts';
import type { UploadRecords } from './record.ts';

/** What every wait on records needs. */
export interface WatchParts {
  records: Pick<UploadRecords, 'read'>;
  registry: Registry<ProgressState>;
}

/** Reads an upload that must be there. Throws `unknown_upload` (404) or `upload_gone` (410). */
export async function readExisting(records: Pick<UploadRecords, 'read'>, id: string): Promise<ReadRecord> {
  const read = await records.read(id);
  if (read === undefined) throw unknownUpload(id);
  refuseGone(id, read.record, read.nowMs);
  return read;
}

function unknownUpload(id: string): ServiceError {
  return new ServiceError('unknown_upload', 'There is no upload with this id.', { id });
}

function refuseGone(
  id: string,
  { deleted, expiresAtMs }: { deleted: boolean; expiresAtMs: number | null },
  nowMs: number,
): void {
  if (deleted) throw new ServiceError('upload_gone', 'This upload was deleted.', { id });
  if (!isExpired({ expiresAtMs }, nowMs)) return;
  throw new ServiceError('upload_gone', 'This upload was kept for as long as uploads are kept here, and is gone.', {
    id,
  });
}

/** What a wait for progress alone reads. */
export interface ProgressWatchParts {
  records: Pick<UploadRecords, 'readProgress'>;
  registry: Registry<ProgressState>;
}

/** Which upload, and the versions of it that the client has seen. */
export interface AskedProgress {
  id: string;
  seenVersions: readonly number[];
  /** Undefined leaves it to the manager's default. */
  timeoutMs: number | undefined;
}

/**
 * Waits until an upload's version is none of those seen, or it is final; with none seen it answers at once.
 * The answer is shaped from the Progress, which says `timedOut` where the time was up first.
 * Rejects with `unknown_upload` (404) and `upload_gone` (410).
 */
export async function watchProgress<Answer>(
  parts: ProgressWatchParts,
  asked: AskedProgress,
  shape: (progress: Progress, asked: AskedProgress) => Answer,
): Promise<DeferredResult<Answer>> {
  return await hold(parts.registry, new ProgressWait(parts.records, asked, shape));
}

/** A class and no closures: there are thousands of these, and each keeps what it closes over. */
class ProgressWait<Answer> implements Wait<Answer> {
  readonly ids: readonly [string];
  readonly timeoutMs: number | undefined;
  readonly #records: ProgressWatchParts['records'];
  readonly #asked: AskedProgress;
  readonly #shape: (progress: Progress, asked: AskedProgress) => Answer;
  #seen: ReadProgress | undefined;

  constructor(
    records: ProgressWatchParts['records'],
    asked: AskedProgress,
    shape: (progress: Progress, asked: AskedProgress) => Answer,
  ) {
    this.ids = [asked.id];
    this.timeoutMs = asked.timeoutMs;
    this.#records = records;
    this.#asked = asked;
    this.#shape = shape;
  }

  async look(): Promise<Answer | undefined> {
    const { id, seenVersions } = this.#asked;
    const read = await this.#records.readProgress(id);
    if (read === undefined) throw unknownUpload(id);
    // A tombstone is told of to those that wait already; who comes later gets a 410.
    if (this.#seen === undefined)
      refuseGone(id, { deleted: read.state.deleted, expiresAtMs: read.expiresAtMs }, read.nowMs);
    this.#seen = read;
    const hasMoved = !seenVersions.includes(read.state.version) || isFinalState(read.state.state);
    return hasMoved ? this.#answer(read, false) : undefined;
  }

  heard(event: ProgressState): Answer | typeof LOOK | undefined {
    const { seenVersions } = this.#asked;
    if (seenVersions.includes(event.version) && !isFinalState(event.state)) return undefined;
    // Smaller is an event that comes late, or a record restored from an older copy. One that waits has a place, which no event knows.
    if (event.version < Math.max(...seenVersions) || event.state === 'queued') return LOOK;
    return this.#answer({ state: event, queuePosition: null, nowMs: event.eventAtMs ?? event.updatedAtMs }, false);
  }

  timeoutValue(): Answer {
    if (this.#seen === undefined) throw unknownUpload(this.#asked.id);
    return this.#answer(this.#seen, true);
  }

  #answer(
    { state, queuePosition, nowMs }: Pick<ReadProgress, 'state' | 'queuePosition' | 'nowMs'>,
    timedOut: boolean,
  ): Answer {
    return this.#shape(toProgress(state, { nowMs, queuePosition, timedOut }), this.#asked);
  }
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
      seen = await Promise.all(
        asked.ids.map((id) => (isFirst ? readExisting(parts.records, id) : readWatched(parts.records, id))),
      );
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
export function presentProgress({ record, queuePosition, nowMs }: ReadRecord): Progress {
  return toProgress(record, { nowMs, queuePosition });
}
