import { isFinalState, type Progress } from '../wire/documents.ts';
import type { DeferredResult } from '../deferred/deferred-result.ts';
import type { Registry } from '../deferred/registry.ts';
import { ServiceError } from '../errors.ts';
import { waitForRecords, RE_READ, type RecordWait } from './record-wait.ts';
import { toProgress, type ProgressState } from './progress.ts';
import { isExpired } from './record-fields.ts';
import type { ReadProgress, ReadRecord } from './read-record.ts';
import type { UploadRecords } from './record.ts';

/** What a wait for whole records needs. */
export interface WatchParts {
  records: Pick<UploadRecords, 'read'>;
  registry: Registry<ProgressState>;
}

/** Reads an upload that must exist. Throws `unknown_upload` (404) or `upload_gone` (410). */
export async function readExisting(records: Pick<UploadRecords, 'read'>, id: string): Promise<ReadRecord> {
  const read = await records.read(id);
  if (read === undefined) throw unknownUpload(id);
  refuseGone(id, read.record, read.nowMs);
  return read;
}

/** As `readExisting`, but only the fields that progress is computed from. */
export async function readExistingProgress(
  records: Pick<UploadRecords, 'readProgress'>,
  id: string,
): Promise<ReadProgress> {
  const read = await records.readProgress(id);
  if (read === undefined) throw unknownUpload(id);
  refuseGone(id, { deleted: read.state.deleted, expiresAtMs: read.expiresAtMs }, read.nowMs);
  return read;
}

/**
 * Reads an upload that existed before: if it was deleted, that is its last state. Throws `unknown_upload` (404) if
 * nothing is left.
 */
export async function readWatchedProgress(
  records: Pick<UploadRecords, 'readProgress'>,
  id: string,
): Promise<ReadProgress> {
  const read = await records.readProgress(id);
  if (read === undefined) throw unknownUpload(id);
  return read;
}

function unknownUpload(id: string): ServiceError {
  return new ServiceError('unknown_upload', 'There is no upload with this id. Check the id, or send the file.', { id });
}

function refuseGone(
  id: string,
  { deleted, expiresAtMs }: { deleted: boolean; expiresAtMs: number | null },
  nowMs: number,
): void {
  if (deleted)
    throw new ServiceError(
      'upload_gone',
      'This upload was deleted. Send the file with a new id if you still need it.',
      { id },
    );
  if (!isExpired({ expiresAtMs }, nowMs)) return;
  throw new ServiceError(
    'upload_gone',
    'This upload has expired and was removed. Send the file with a new id if you still need it.',
    { id },
  );
}

/** What a wait for progress needs. */
export interface ProgressWatchParts {
  records: Pick<UploadRecords, 'readProgress'>;
  registry: Registry<ProgressState>;
}

/** The upload, and the versions of it that the client has seen. */
export interface AskedProgress {
  id: string;
  seenVersions: readonly number[];
  /** Undefined: the manager's default. */
  timeoutMs: number | undefined;
}

/**
 * Waits until the upload is final or has a version that the client has not seen. Without seen versions it answers at
 * once. `shape` turns the Progress into the answer; `timedOut` is true in a timeout value. Rejects with
 * `unknown_upload` (404) and `upload_gone` (410).
 */
export async function watchProgress<Answer>(
  parts: ProgressWatchParts,
  asked: AskedProgress,
  shape: (progress: Progress, asked: AskedProgress) => Answer,
): Promise<DeferredResult<Answer>> {
  return await waitForRecords(parts.registry, new ProgressWait(parts.records, asked, shape));
}

/** A class, because there are thousands of instances and closures would take more memory. */
class ProgressWait<Answer> implements RecordWait<Answer> {
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

  async read(): Promise<Answer | undefined> {
    const { id, seenVersions } = this.#asked;
    // A client that waits already receives a deleted upload as its last state; a later request answers 410.
    const read = await (this.#seen === undefined ? readExistingProgress : readWatchedProgress)(this.#records, id);
    this.#seen = read;
    const hasMoved = !seenVersions.includes(read.state.version) || isFinalState(read.state.state);
    return hasMoved ? this.#answer(read, false) : undefined;
  }

  decide(event: ProgressState): Answer | typeof RE_READ | undefined {
    const { seenVersions } = this.#asked;
    if (seenVersions.includes(event.version) && !isFinalState(event.state)) return undefined;
    if (!isWhole(event, Math.max(...seenVersions))) return RE_READ;
    return this.#answer(fromEvent(event), false);
  }

  timeoutValue(): Answer {
    if (this.#seen === undefined) throw unknownUpload(this.#asked.id);
    return this.#answer(this.#seen, true);
  }

  #answer({ state, nowMs, queuePosition }: PresentState, timedOut: boolean): Answer {
    return this.#shape(toProgress(state, { nowMs, queuePosition, timedOut }), this.#asked);
  }
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

/** The uploads that must become final. */
export interface AskedFinal {
  ids: readonly string[];
  /** Undefined: the manager's default. */
  timeoutMs: number | undefined;
}

/**
 * Waits until all of the uploads are final. `shape` receives them in the requested order, final or as they are on
 * timeout. Rejects with `unknown_upload` (404) and `upload_gone` (410).
 */
export async function watchUntilFinal<Answer>(
  parts: WatchParts,
  asked: AskedFinal,
  shape: (uploads: readonly ReadRecord[], timedOut: boolean) => Answer,
): Promise<DeferredResult<Answer>> {
  return await waitForRecords(parts.registry, new FinalWait(parts.records, asked, shape));
}

/** Uploads that this request has stored and queued. Their answer must not become an error. */
export interface AskedStored extends AskedFinal {
  /** The last known record of each, in the order of `ids`. */
  known: readonly ReadRecord[];
  /** Called if the answer cannot be held; it is sent at once then. */
  notHeld: () => void;
}

/** As `watchUntilFinal`, but never rejects: an upload that cannot be read is answered as it was last known. */
export async function watchStoredUntilFinal<Answer>(
  parts: WatchParts,
  asked: AskedStored,
  shape: (uploads: readonly ReadRecord[], timedOut: boolean) => Answer,
): Promise<DeferredResult<Answer>> {
  return await waitForRecords(parts.registry, new FinalWait(parts.records, asked, shape, asked));
}

class FinalWait<Answer> implements RecordWait<Answer> {
  readonly ids: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly notHeld: (() => void) | undefined;
  readonly #records: WatchParts['records'];
  readonly #shape: (uploads: readonly ReadRecord[], timedOut: boolean) => Answer;
  readonly #isStored: boolean;
  /** In the order of `ids`. An upload that was never read is missing. */
  readonly #seen = new Map<string, ReadRecord>();

  constructor(
    records: WatchParts['records'],
    { ids, timeoutMs }: AskedFinal,
    shape: (uploads: readonly ReadRecord[], timedOut: boolean) => Answer,
    stored?: Pick<AskedStored, 'known' | 'notHeld'>,
  ) {
    this.ids = ids;
    this.timeoutMs = timeoutMs;
    this.#records = records;
    this.#shape = shape;
    this.#isStored = stored !== undefined;
    this.notHeld = stored?.notHeld;
    for (const known of stored?.known ?? []) this.#seen.set(known.record.id, known);
  }

  async read(ids: readonly string[]): Promise<Answer | undefined> {
    const reads = await Promise.all(ids.map((id) => this.#readOne(id)));
    for (const read of reads) this.#seen.set(read.record.id, read);
    const seen = this.#inOrder();
    return seen.every(({ record }) => isFinalState(record.state)) ? this.#shape(seen, false) : undefined;
  }

  decide(event: ProgressState): typeof RE_READ | undefined {
    return isFinalState(event.state) ? RE_READ : undefined;
  }

  timeoutValue(): Answer {
    return this.#shape(this.#inOrder(), true);
  }

  async #readOne(id: string): Promise<ReadRecord> {
    const before = this.#seen.get(id);
    if (before === undefined) return await readExisting(this.#records, id);
    const read = await this.#records.read(id);
    if (read !== undefined) return read;
    // Redis has lost the record. The stored bytes still exist, so the janitor rebuilds it.
    if (this.#isStored) return before;
    throw unknownUpload(id);
  }

  #inOrder(): ReadRecord[] {
    return this.ids.map((id) => {
      const seen = this.#seen.get(id);
      if (seen === undefined) throw unknownUpload(id);
      return seen;
    });
  }
}
