import type { Problem, UploadState } from '../wire/documents.ts';
import type { Manifest } from '../storage/manifest.ts';
import type { QueueKeys } from '../queue/contract.ts';
import { processingPercent, receivingPercent } from './progress.ts';
import { shareReads, type ReadProgress, type ReadRecord, type ReadWithResult } from './read-record.ts';
import type { ChangeOutcome } from './change-outcome.ts';
import {
  RecordChanger,
  type QueueLimits,
  type RecordOptions,
  type RecordStore,
  type Requeuing,
} from './record-change.ts';
import type { RecordBounds } from './record-count.ts';
import {
  acceptRecord,
  openRecord,
  queuingArgs,
  type FileKind,
  type NewUpload,
  type StoredUpload,
  type WholeUpload,
} from './open-record.ts';
import { recoverRecord, restoreRecord } from './restore-record.ts';
import { RoadChanges } from './road-changes.ts';
import { failedJson, isRetryable, type StoredVariant } from './record-fields.ts';
import { attemptArgs, takeNext, type Permit, type Taken } from './take-next.ts';

const OPEN_STATES: readonly UploadState[] = ['receiving', 'queued', 'processing'];

/** Reads and changes the records of uploads. It has no state, so every process may have its own. */
export class UploadRecords {
  readonly #store: RecordStore;
  readonly #keys: QueueKeys;
  readonly #reads: ReturnType<typeof shareReads>;
  readonly #changer: RecordChanger;
  /** Changes of uploads whose bytes do not come through this service. */
  readonly roads: RoadChanges;

  constructor(store: RecordStore, keys: QueueKeys, options: RecordOptions) {
    this.#store = store;
    this.#keys = keys;
    this.#changer = new RecordChanger(store, keys, options);
    this.roads = new RoadChanges(this.#changer);
    this.#reads = shareReads({ store, keys, nowMs: () => this.nowMs() });
  }

  /** A receiving upload without a report for this time counts as broken off. */
  get silenceMs(): number {
    return this.#changer.silenceMs;
  }

  /** Returns the time by Redis' clock, which all times of records use. */
  nowMs(): number {
    return this.#changer.nowMs();
  }

  /**
   * Starts receiving: creates the record, takes over from a request that is still receiving under the same id, or
   * starts a failed, cancelled or discarded upload again. Rejected with `state` or `final` if the id has a stored
   * upload, with `deleted` after DELETE, with `full` or `quota` if the queue is full, and with `records` or `owned` if
   * there are too many records.
   */
  async open(upload: NewUpload, limits?: QueueLimits, bounds?: RecordBounds): Promise<ChangeOutcome> {
    return await openRecord(this.#changer, upload, limits, bounds);
  }

  /** Reports the progress of a request. `found` has the facts that its first bytes have shown. */
  async receive(
    id: string,
    fencingToken: string,
    receivedBytes: number,
    totalBytes: number | null,
    found?: FileKind,
    silenceMs?: number,
  ): Promise<ChangeOutcome> {
    return await this.#changer.run('receive', id, [
      fencingToken,
      receivedBytes,
      receivingPercent(receivedBytes, totalBytes),
      silenceMs,
      found?.type,
      found === undefined ? undefined : JSON.stringify(found.options),
      this.silenceMs,
    ]);
  }

  /** Sets the size of an upload that was opened without one. */
  async announceTotal(id: string, fencingToken: string, totalBytes: number): Promise<ChangeOutcome> {
    return await this.#changer.run('announce-total', id, [fencingToken, totalBytes, this.silenceMs]);
  }

  /**
   * Continues an upload that is still receiving, with the bytes it has. The request with the earlier token is fenced.
   */
  async takeOver(id: string, fencingToken: string, newFencingToken: string): Promise<ChangeOutcome> {
    return await this.#changer.run('take-over', id, [fencingToken, newFencingToken, this.silenceMs]);
  }

  /** Queues an upload whose bytes are durable. Rejected with `full` or `quota` if the queue is full. */
  async enqueue(id: string, fencingToken: string, stored: StoredUpload, limits?: QueueLimits): Promise<ChangeOutcome> {
    const args = queuingArgs(this.#changer, fencingToken, stored, limits);
    return await this.#changer.enter('queued', ['receiving'], 'enqueue', id, args);
  }

  /** Like `open` and `enqueue` in one step. Rejected with `state`, `final` or `deleted` if the id has a record. */
  async accept(
    upload: WholeUpload,
    stored: StoredUpload,
    limits: QueueLimits,
    bounds?: RecordBounds,
  ): Promise<ChangeOutcome> {
    return await acceptRecord(this.#changer, upload, stored, limits, bounds);
  }

  /**
   * Ends an upload whose file was rejected or whose request broke off. It is kept for at most 5 minutes, without its
   * options.
   */
  async reject(
    id: string,
    fencingToken: string,
    error: Problem,
    found: { receivedBytes: number; type: string | null; isResumable?: boolean },
  ): Promise<ChangeOutcome> {
    return await this.#changer.enter('failed', ['receiving'], 'reject', id, [
      fencingToken,
      failedJson(error),
      found.receivedBytes,
      found.type ?? undefined,
      // An empty object still marks a resumable upload.
      found.isResumable === true ? '{}' : undefined,
      this.#changer.rejectedMs,
    ]);
  }

  /**
   * Ends a receiving upload whose process has died, unless it was changed after `version`. Its sender may send it
   * again.
   */
  async interrupt(id: string, version: number, error: Problem): Promise<ChangeOutcome> {
    return await this.#changer.enter('failed', ['receiving'], 'interrupt', id, [
      version,
      failedJson(error),
      this.#changer.retentionMs,
      this.#changer.rejectedMs,
    ]);
  }

  /**
   * Queues a receiving upload whose bytes are stored, unless it was changed after `version`. Its process died before it
   * could do so, or Redis has lost that change.
   */
  async recover(manifest: Manifest, version: number): Promise<ChangeOutcome> {
    return await recoverRecord(this.#changer, manifest, version);
  }

  /**
   * Rebuilds the record of a stored upload from its manifest, and returns it, if Redis has lost it. An existing record
   * is replaced only if it has ended and Redis has lost the request of the manifest, see `isLost`. Otherwise the change
   * is rejected. The version begins above every version that a client may have seen.
   */
  async restore(manifest: Manifest): Promise<ChangeOutcome> {
    return await restoreRecord(this.#changer, manifest);
  }

  /**
   * Starts an attempt and returns its number, which fences all earlier ones. If an earlier attempt is still processing,
   * it counts as a death. Rejected with `exhausted` after `MAX_FAULTS` or `MAX_DEATHS`.
   */
  async begin(id: string, permit?: Permit): Promise<ChangeOutcome> {
    const args = attemptArgs(this.#changer, permit);
    return await this.#changer.enter('processing', ['queued', 'processing'], 'begin', id, args);
  }

  /** Like `begin`, for the upload that the permit has begun before, or for the next one in the order of its kind. */
  async take(permit: Permit): Promise<Taken> {
    return await takeNext(this.#changer, permit);
  }

  /**
   * Reports the progress of an attempt. `fraction` is the finished share of its work, 0 to 1; `sequence` grows with
   * every call. `files` are stored, and may be served from now on.
   */
  async advance(
    id: string,
    attempt: number,
    sequence: number,
    stage: string,
    fraction: number,
    files: readonly StoredVariant[] = [],
  ): Promise<ChangeOutcome> {
    const made = files.length === 0 ? undefined : variantsJson(files);
    return await this.#changer.run('advance', id, [attempt, sequence, processingPercent(fraction), stage, made]);
  }

  /**
   * Ends an upload with its result, which clients receive unchanged. A large one gets a key of its own. `sha256` is
   * that of the uploaded bytes if the attempt had to compute it. `variants` are all files that the attempt has
   * announced; if left out, those in the record stay.
   */
  async complete(
    id: string,
    attempt: number,
    result: { readonly kind: string },
    { sha256, variants }: { sha256?: string; variants?: readonly StoredVariant[] } = {},
  ): Promise<ChangeOutcome> {
    return await this.#changer.enter('completed', ['processing'], 'complete', id, [
      attempt,
      JSON.stringify(result),
      sha256,
      this.#changer.retentionMs,
      variants === undefined || variants.length === 0 ? undefined : variantsJson(variants),
    ]);
  }

  /**
   * Ends an upload as failed. Without an attempt it applies to every attempt. The bytes of a file with a wrong digest
   * do not count as stored any more: the caller removes them.
   */
  async fail(id: string, attempt: number | undefined, error: Problem): Promise<ChangeOutcome> {
    const from: readonly UploadState[] = attempt === undefined ? ['queued', 'processing'] : ['processing'];
    return await this.#changer.enter('failed', from, 'fail', id, [
      attempt,
      failedJson(error),
      isRetryable(error) ? '1' : undefined,
      this.#changer.retentionMs,
      error.code === 'digest_mismatch' ? '1' : undefined,
    ]);
  }

  /**
   * Requeues the upload of an attempt, with the percent it has. It is placed first, or last if the attempt had a fault
   * or the upload has to pause.
   */
  async requeue(id: string, attempt: number, { faults, deaths, pauseMs }: Requeuing = {}): Promise<ChangeOutcome> {
    const isFirst = faults === undefined && pauseMs === undefined;
    return await this.#changer.enter('queued', ['processing'], 'requeue', id, [
      attempt,
      isFirst ? '1' : undefined,
      faults,
      deaths,
      pauseMs === undefined ? undefined : Math.round(pauseMs),
    ]);
  }

  /**
   * Queues a failed upload again, from its stored bytes, unless it was changed after `version`. Resets its faults and
   * deaths.
   */
  async retry(id: string, version: number): Promise<ChangeOutcome> {
    return await this.#changer.enter('queued', ['failed'], 'retry', id, [version]);
  }

  /** Cancels an upload. Rejected with `final` if it has a final state. */
  async cancel(id: string): Promise<ChangeOutcome> {
    const { cancelChannel, retentionMs } = this.#changer;
    return await this.#changer.enter('cancelled', OPEN_STATES, 'cancel', id, [cancelChannel, retentionMs]);
  }

  /** Leaves a tombstone, so that the id answers 410 until the retention time is over. */
  async delete(id: string): Promise<ChangeOutcome> {
    const { cancelChannel, retentionMs } = this.#changer;
    return await this.#changer.run('delete', id, [cancelChannel, retentionMs]);
  }

  /** Removes every trace of an id that no client has received. */
  async forget(id: string, publicId: string): Promise<void> {
    await this.#changer.forget(id, publicId);
  }

  /** Returns undefined if there is no such upload, and `deleted: true` for a deleted one. Reads no large result. */
  async read(id: string): Promise<ReadRecord | undefined> {
    return await this.#reads.whole.read(id);
  }

  /** Like `read`, with the result. */
  async readWithResult(id: string): Promise<ReadWithResult | undefined> {
    return await this.#reads.withResult.read(id);
  }

  /**
   * Like `read`, but returns only the fields that progress is computed from. Ids requested in the same turn are read in
   * one round trip.
   */
  async readProgress(id: string): Promise<ReadProgress | undefined> {
    return await this.#reads.progress.read(id);
  }

  /** Returns the id that belongs to a public id; undefined if there is none. */
  async idOf(publicId: string): Promise<string | undefined> {
    return (await this.#store.get(this.#keys.publicId(publicId))) ?? undefined;
  }
}

/** Returns the variants by name, in the form of the record. */
function variantsJson(variants: readonly StoredVariant[]): string {
  return JSON.stringify(Object.fromEntries(variants.map((variant) => [variant.name, variant])));
}
