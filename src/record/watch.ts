import { isFinalState, type Progress } from '../wire/documents.ts';
import type { DeferredResult } from '../deferred/deferred-result.ts';
import type { Registry } from '../deferred/registry.ts';
import { ServiceError } from '../errors.ts';
import { forLast } from './for-last.ts';
import {
  awaitsBeginning,
  readAwaitedProgress,
  readExistingWithResult,
  readExistingProgress,
  readWatchedProgress,
  unknownUpload,
} from './read-existing.ts';
import { waitForRecords, RE_READ, type RecordWait } from './record-wait.ts';
import { toProgress, type ProgressState } from './progress.ts';
import { withResult, type ReadProgress, type ReadRecord, type ReadWithResult } from './read-record.ts';
import type { UploadRecords } from './record.ts';

/** The parts that a wait for results needs. */
export interface WatchParts {
  records: Pick<UploadRecords, 'readWithResult'>;
  registry: Registry<ProgressState>;
}

/** The parts that a wait for progress needs. */
export interface ProgressWatchParts {
  records: Pick<UploadRecords, 'readProgress'>;
  registry: Registry<ProgressState>;
  /** Returns the state of an upload from its last event, see `ProgressBus.knownState`. Default: none is known. */
  knownState?: (id: string) => ProgressState | undefined;
}

/**
 * The upload, and the versions of it that the client has seen. With 0 as the only version, the client waits for an
 * upload that has not begun.
 */
export interface RequestedProgress {
  id: string;
  seenVersions: readonly number[];
  /** If undefined, the manager's default applies. */
  timeoutMs: number | undefined;
}

/**
 * Waits until the upload is final or has a version that the client has not seen. Without seen versions it answers at
 * once. `shape` turns the Progress into the answer; `timedOut` is true in a timeout value. Rejects with
 * `unknown_upload` (404) and `upload_gone` (410).
 */
export async function watchProgress<Answer>(
  parts: ProgressWatchParts,
  asked: RequestedProgress,
  shape: (progress: Progress, asked: RequestedProgress) => Answer,
): Promise<DeferredResult<Answer>> {
  return await waitForRecords(parts.registry, new ProgressWait(parts, asked, shape));
}

/** This is a class, because there are thousands of instances and closures would take more memory. */
class ProgressWait<Answer> implements RecordWait<Answer> {
  readonly ids: readonly [string];
  readonly timeoutMs: number | undefined;
  readonly #parts: ProgressWatchParts;
  readonly #asked: RequestedProgress;
  readonly #shape: (progress: Progress, asked: RequestedProgress) => Answer;
  #seen: PresentState | undefined;
  /** True if the last read found that nobody has used the id. */
  #isUnknown = false;
  /** True if an earlier read found that nobody has used the id. */
  #isAwaited = false;

  constructor(
    parts: ProgressWatchParts,
    asked: RequestedProgress,
    shape: (progress: Progress, asked: RequestedProgress) => Answer,
  ) {
    this.ids = [asked.id];
    this.timeoutMs = asked.timeoutMs;
    this.#parts = parts;
    this.#asked = asked;
    this.#shape = shape;
  }

  async read(): Promise<Answer | undefined> {
    const { id, seenVersions } = this.#asked;
    this.#isUnknown = false;
    const read = await this.#readOne(id);
    if (read === undefined) {
      this.#isUnknown = this.#isAwaited = true;
      return undefined;
    }
    this.#seen = read;
    const hasMoved = !seenVersions.includes(read.state.version) || isFinalState(read.state.state);
    return hasMoved ? this.#answer(read, false) : undefined;
  }

  isCurrent(): boolean {
    const { id, seenVersions } = this.#asked;
    const known = this.#parts.knownState?.(id);
    if (known === undefined || !seenVersions.includes(known.version)) return false;
    this.#seen = fromEvent(known);
    return true;
  }

  decide(event: ProgressState): Answer | typeof RE_READ | undefined {
    const { seenVersions } = this.#asked;
    if (seenVersions.includes(event.version) && !isFinalState(event.state)) return undefined;
    if (!isWhole(event, Math.max(...seenVersions))) return RE_READ;
    return this.#shape(progressAfter(event), this.#asked);
  }

  timeoutValue(): Answer {
    if (this.#seen !== undefined) return this.#answer(this.#seen, true);
    throw this.#isUnknown ? unknownUpload(this.#asked.id) : unreadUpload(this.#asked.id);
  }

  /** Returns undefined if the client waits for an upload that has not begun. */
  async #readOne(id: string): Promise<ReadProgress | undefined> {
    // A client that waits already receives a deleted upload as its last state; a later request answers 410.
    if (this.#seen !== undefined) return await readWatchedProgress(this.#parts.records, id);
    if (this.#isAwaited) return await this.#parts.records.readProgress(id);
    return await (awaitsBeginning(this.#asked.seenVersions) ? readAwaitedProgress : readExistingProgress)(
      this.#parts.records,
      id,
    );
  }

  #answer({ state, nowMs, queuePosition }: PresentState, timedOut: boolean): Answer {
    return this.#shape(toProgress(state, { nowMs, queuePosition, timedOut }), this.#asked);
  }
}

/** Returns the error for an id whose record could not be read while a client waited for its beginning. */
function unreadUpload(id: string): ServiceError {
  return new ServiceError('service_unavailable', 'The record of this upload cannot be read now. Try again shortly.', {
    id,
  });
}

/**
 * True if the event has everything that the answer needs. The position in the queue is only in the record. A version
 * below the seen one comes from a late event, or from a record that was restored from an older copy.
 */
export function isWhole(event: ProgressState, seenVersion: number): boolean {
  return event.state !== 'queued' && event.version >= seenVersion;
}

/** A state, and the values that are computed when it is read. */
export type PresentState = Pick<ReadProgress, 'state' | 'queuePosition' | 'nowMs'>;

/** Returns the state of an event, at the time of the event by Redis' clock. */
export function fromEvent(event: ProgressState): PresentState {
  return { state: event, queuePosition: null, nowMs: event.eventAtMs ?? event.updatedAtMs };
}

const progressAfter = forLast((event: ProgressState): Progress => {
  const { state, ...reading } = fromEvent(event);
  return toProgress(state, reading);
});

/** The uploads that must become final. */
export interface RequestedFinal {
  ids: readonly string[];
  /** If undefined, the manager's default applies. */
  timeoutMs: number | undefined;
}

/**
 * Waits until all of the uploads are final. `shape` receives them in the requested order, final or as they are on
 * timeout. Rejects with `unknown_upload` (404) and `upload_gone` (410).
 */
export async function watchUntilFinal<Answer>(
  parts: WatchParts,
  asked: RequestedFinal,
  shape: (uploads: readonly ReadWithResult[], timedOut: boolean) => Answer,
): Promise<DeferredResult<Answer>> {
  return await waitForRecords(parts.registry, new FinalWait(parts.records, asked, shape));
}

/** Uploads that this request has stored and queued. Their answer must not become an error. */
export interface RequestedStored extends RequestedFinal {
  /** The last known record of each, in the order of `ids`. */
  known: readonly ReadRecord[];
  /** Called if the answer cannot be held; it is sent at once then. */
  notHeld: () => void;
  /** Returns true if `known` is so recent that no change can be missed without a first read. Default: it is not. */
  isCurrent?: (ids: readonly string[]) => boolean;
}

/** Like `watchUntilFinal`, but never rejects: an upload that cannot be read is answered as it was last known. */
export async function watchStoredUntilFinal<Answer>(
  parts: WatchParts,
  asked: RequestedStored,
  shape: (uploads: readonly ReadWithResult[], timedOut: boolean) => Answer,
): Promise<DeferredResult<Answer>> {
  return await waitForRecords(parts.registry, new FinalWait(parts.records, asked, shape, asked));
}

class FinalWait<Answer> implements RecordWait<Answer> {
  readonly ids: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly notHeld: (() => void) | undefined;
  readonly #records: WatchParts['records'];
  readonly #shape: (uploads: readonly ReadWithResult[], timedOut: boolean) => Answer;
  readonly #stored: Pick<RequestedStored, 'isCurrent'> | undefined;
  /** In the order of `ids`. An upload that was never read is missing. */
  readonly #seen = new Map<string, ReadWithResult>();

  constructor(
    records: WatchParts['records'],
    { ids, timeoutMs }: RequestedFinal,
    shape: (uploads: readonly ReadWithResult[], timedOut: boolean) => Answer,
    stored?: Pick<RequestedStored, 'known' | 'notHeld' | 'isCurrent'>,
  ) {
    this.ids = ids;
    this.timeoutMs = timeoutMs;
    this.#records = records;
    this.#shape = shape;
    this.#stored = stored;
    this.notHeld = stored?.notHeld;
    for (const known of stored?.known ?? []) this.#seen.set(known.record.id, withResult(known, null));
  }

  async read(ids: readonly string[]): Promise<Answer | undefined> {
    const reads = await Promise.all(ids.map((id) => this.#readOne(id)));
    for (const read of reads) this.#seen.set(read.record.id, read);
    const seen = this.#inOrder();
    return seen.every(({ record }) => isFinalState(record.state)) ? this.#shape(seen, false) : undefined;
  }

  isCurrent(): boolean {
    if (this.#stored?.isCurrent?.(this.ids) !== true) return false;
    return this.#inOrder().every(({ record }) => !isFinalState(record.state));
  }

  decide(event: ProgressState): typeof RE_READ | undefined {
    return isFinalState(event.state) ? RE_READ : undefined;
  }

  timeoutValue(): Answer {
    return this.#shape(this.#inOrder(), true);
  }

  async #readOne(id: string): Promise<ReadWithResult> {
    const before = this.#seen.get(id);
    if (before === undefined) return await readExistingWithResult(this.#records, id);
    const read = await this.#records.readWithResult(id);
    if (read !== undefined) return read;
    // Redis has lost the record. The stored bytes still exist, so the janitor rebuilds it.
    if (this.#stored !== undefined) return before;
    throw unknownUpload(id);
  }

  #inOrder(): ReadWithResult[] {
    return this.ids.map((id) => {
      const seen = this.#seen.get(id);
      if (seen === undefined) throw unknownUpload(id);
      return seen;
    });
  }
}
