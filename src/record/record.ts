import type { Problem, UploadState } from '../wire/documents.ts';
import type { Manifest } from '../storage/manifest.ts';
import { MAX_DEATHS, MAX_FAULTS, type QueueKeys } from '../queue/contract.ts';
import { FIRST_STAGE, processingPercent, queuedPercent, receivingPercent } from './progress.ts';
import { readProgressOf, readRecordsOf, type ReadProgress, type ReadRecord } from './read-record.ts';
import { SharedReads } from './shared-reads.ts';
import {
  RecordChanger,
  type ChangeOutcome,
  type QueueLimits,
  type RecordOptions,
  type RecordStore,
} from './record-change.ts';
import type { RecordBounds } from './record-count.ts';
import { openRecord, type FileKind, type NewUpload, type StoredUpload } from './open-record.ts';
import { isRetryable } from './retryable.ts';
import type { StoredVariant } from './record-fields.ts';

/** A problem that is the outcome of an upload. */
function failedJson(error: Problem): string {
  return JSON.stringify({ ...error, state: 'failed', final: true });
}

/** The arguments of a transition that queues stored bytes. */
function storedArgs({ sizeBytes, type, sha256, options }: StoredUpload): (string | number | undefined)[] {
  return [sizeBytes, type, sha256 ?? undefined, JSON.stringify(options), queuedPercent()];
}

/** How an attempt ends that is requeued. Counts are those of the record from now on; those left out stay. */
export interface Requeuing {
  faults?: number;
  deaths?: number;
  /** Milliseconds until the next try, by the clock of Redis. */
  pauseMs?: number | undefined;
}

const OPEN_STATES: readonly UploadState[] = ['receiving', 'queued', 'processing'];

/** Reads and changes the records of uploads. Stateless: any number of processes may hold one. */
export class UploadRecords {
  readonly #store: RecordStore;
  readonly #keys: QueueKeys;
  readonly #whole: SharedReads<ReadRecord>;
  readonly #progress: SharedReads<ReadProgress>;
  readonly #changer: RecordChanger;

  constructor(store: RecordStore, keys: QueueKeys, options: RecordOptions) {
    this.#store = store;
    this.#keys = keys;
    this.#changer = new RecordChanger(store, keys, options);
    const reads = { store, keys, nowMs: () => this.nowMs() };
    this.#whole = new SharedReads((ids) => readRecordsOf(reads, ids));
    this.#progress = new SharedReads((ids) => readProgressOf(reads, ids));
  }

  /** After so long without a report a receiving upload is taken for one whose process has died. */
  get silenceMs(): number {
    return this.#changer.silenceMs;
  }

  /** The time by the clock of Redis, from which all times of records are. */
  nowMs(): number {
    return this.#changer.nowMs();
  }

  /**
   * Begins to receive: makes the record, takes over from a request that is still receiving under the
   * same id, or starts clean after failed, cancelled or discarded. Refused with `state` or `final`
   * where a stored upload has the id, with `deleted` after DELETE, with `full` or `quota` where no more may
   * wait, and with `records` or `owned` where no more records may be made.
   */
  async open(upload: NewUpload, limits?: QueueLimits, bounds?: RecordBounds): Promise<ChangeOutcome> {
    return await openRecord(this.#changer, upload, limits, bounds);
  }

  /** Progress of the request that bears the fencing token; `found` is what its first bytes have told. */
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

  /** The size of an upload that was opened without one. */
  async announceTotal(id: string, fencingToken: string, totalBytes: number): Promise<ChangeOutcome> {
    return await this.#changer.run('announce-total', id, [fencingToken, totalBytes, this.silenceMs]);
  }

  /** Goes on with an upload that is still receiving, with the bytes it has; the request with the earlier fencing token is fenced. */
  async takeOver(id: string, fencingToken: string, newFencingToken: string): Promise<ChangeOutcome> {
    return await this.#changer.run('take-over', id, [fencingToken, newFencingToken, this.silenceMs]);
  }

  /** The bytes are durable: the upload waits for a worker from now on. Refused with `full` or `quota` where no more may wait. */
  async enqueue(id: string, fencingToken: string, stored: StoredUpload, limits?: QueueLimits): Promise<ChangeOutcome> {
    return await this.#changer.enter('queued', ['receiving'], 'enqueue', id, [
      fencingToken,
      ...storedArgs(stored),
      limits === undefined ? undefined : JSON.stringify(limits),
      limits?.address,
      this.#changer.retentionMs,
    ]);
  }

  /** The file was refused or its request broke off. It is kept for 5 minutes at most, without its options. */
  async refuse(
    id: string,
    fencingToken: string,
    error: Problem,
    found: { receivedBytes: number; type: string | null; isResumable?: boolean },
  ): Promise<ChangeOutcome> {
    return await this.#changer.enter('failed', ['receiving'], 'refuse', id, [
      fencingToken,
      failedJson(error),
      found.receivedBytes,
      found.type ?? undefined,
      // An empty object still says that it is a resumable upload.
      found.isResumable === true ? '{}' : undefined,
      this.#changer.refusedMs,
    ]);
  }

  /**
   * Ends a receiving upload whose process has died: nobody has changed it since `version`. Its sender may
   * send it again.
   */
  async interrupt(id: string, version: number, error: Problem): Promise<ChangeOutcome> {
    return await this.#changer.enter('failed', ['receiving'], 'interrupt', id, [
      version,
      failedJson(error),
      this.#changer.retentionMs,
      this.#changer.refusedMs,
    ]);
  }

  /**
   * Queues an upload whose bytes are stored and whose process has died before it could say so, or has said it to a Redis that has lost
   * it: nobody has changed it since `version`.
   */
  async recover(manifest: Manifest, version: number): Promise<ChangeOutcome> {
    const { id, fencingToken, name } = manifest;
    return await this.#changer.enter('queued', ['receiving'], 'recover', id, [
      version,
      ...storedArgs(manifest),
      fencingToken,
      name,
    ]);
  }

  /**
   * Makes the record of a stored upload again, from its manifest, if Redis has lost it. An existing record is replaced only
   * if it is an ended one from before the request that wrote the manifest: Redis has lost that request then. Any other
   * is rejected. The version begins above every version that a client may have seen.
   */
  async restore(manifest: Manifest): Promise<ChangeOutcome> {
    const { id, fencingToken, name, publicId, createdAt, sequence } = manifest;
    const base = Math.floor(this.nowMs() / 1000);
    return await this.#changer.enter('queued', [], 'restore', id, [
      base,
      ...storedArgs(manifest),
      fencingToken,
      name,
      publicId,
      Date.parse(createdAt),
      sequence,
    ]);
  }

  /**
   * A worker takes the upload up: mints the attempt that fences all earlier ones, and counts a death where it takes
   * over from one. Refused with `exhausted` past `MAX_FAULTS` or `MAX_DEATHS`.
   */
  async begin(id: string): Promise<ChangeOutcome> {
    return await this.#changer.enter('processing', ['queued', 'processing'], 'begin', id, [
      FIRST_STAGE,
      MAX_FAULTS,
      MAX_DEATHS,
      this.silenceMs,
    ]);
  }

  /** Progress of an attempt; `fraction` 0 to 1 of its work, `sequence` grows with every call. */
  async advance(
    id: string,
    attempt: number,
    sequence: number,
    stage: string,
    fraction: number,
  ): Promise<ChangeOutcome> {
    return await this.#changer.run('advance', id, [attempt, sequence, processingPercent(fraction), stage]);
  }

  /** A variant lies in storage and may be served. */
  async announce(id: string, attempt: number, variant: StoredVariant): Promise<ChangeOutcome> {
    return await this.#changer.run('announce', id, [attempt, variant.name, JSON.stringify(variant)]);
  }

  /**
   * Ends an upload with its result, which clients receive unchanged. `sha256` is that of the uploaded bytes if the attempt
   * had to compute it. `variants` are all files that the attempt has announced; without it those in the record stay.
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
      variants === undefined || variants.length === 0
        ? undefined
        : JSON.stringify(Object.fromEntries(variants.map((variant) => [variant.name, variant]))),
    ]);
  }

  /** Ends an upload for good. Without an attempt: whatever attempt was the last. */
  async fail(id: string, attempt: number | undefined, error: Problem): Promise<ChangeOutcome> {
    const from: readonly UploadState[] = attempt === undefined ? ['queued', 'processing'] : ['processing'];
    return await this.#changer.enter('failed', from, 'fail', id, [
      attempt,
      failedJson(error),
      isRetryable(error) ? '1' : undefined,
      this.#changer.retentionMs,
    ]);
  }

  /**
   * Requeues the upload of an attempt, with the percent it has: before all others, or after them if the attempt had a
   * fault or the upload has to pause.
   */
  async requeue(id: string, attempt: number, { faults, deaths, pauseMs }: Requeuing = {}): Promise<ChangeOutcome> {
    const isFirst = faults === undefined && pauseMs === undefined;
    return await this.#changer.enter('queued', ['processing'], 'hand-back', id, [
      attempt,
      isFirst ? '1' : undefined,
      faults,
      deaths,
      pauseMs === undefined ? undefined : Math.round(pauseMs),
    ]);
  }

  /**
   * Queues an upload that has failed again, from its stored bytes, unless it was changed since `version`. Its faults
   * and deaths are forgiven.
   */
  async retry(id: string, version: number): Promise<ChangeOutcome> {
    return await this.#changer.enter('queued', ['failed'], 'retry', id, [version]);
  }

  /** Refused with `final` where the outcome stands already. */
  async cancel(id: string): Promise<ChangeOutcome> {
    const { cancelChannel, retentionMs } = this.#changer;
    return await this.#changer.enter('cancelled', OPEN_STATES, 'cancel', id, [cancelChannel, retentionMs]);
  }

  /** Leaves a tombstone of the id, so that it answers 410 until the retention is over. */
  async delete(id: string): Promise<ChangeOutcome> {
    const { cancelChannel, retentionMs } = this.#changer;
    return await this.#changer.run('delete', id, [cancelChannel, retentionMs]);
  }

  /** Removes every trace. For an id that was never given to anybody. */
  async forget(id: string, publicId: string): Promise<void> {
    await this.#changer.forget(id, publicId);
  }

  /** Undefined where there is no such upload; a tombstone comes back with `deleted: true`. */
  async read(id: string): Promise<ReadRecord | undefined> {
    return await this.#whole.read(id);
  }

  /** As `read`, but only the part that progress is made from. Ids asked for in the same turn are read in one round trip. */
  async readProgress(id: string): Promise<ReadProgress | undefined> {
    return await this.#progress.read(id);
  }

  /** The id behind a public id; undefined where there is none. */
  async idOf(publicId: string): Promise<string | undefined> {
    return (await this.#store.get(this.#keys.publicId(publicId))) ?? undefined;
  }
}
