import { randomUUID } from 'node:crypto';
import { ServiceError, toProblem } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';
import { recordOf, type ChangeOutcome } from '../record/change-outcome.ts';
import { removeOrphanFiles } from '../record/orphan-files.ts';
import type { QueueLimits } from '../record/record-change.ts';
import { manifestOfRecord } from '../record/manifest-of-record.ts';
import type { NewUpload, StoredUpload } from '../record/open-record.ts';
import type { UploadRecords } from '../record/record.ts';
import type { Subscribe } from '../record/record-subscription.ts';
import type { ReadRecord } from '../record/read-record.ts';
import type { UploadRecord } from '../record/record-fields.ts';
import { manifestKey, uploadPrefix } from '../storage/keys.ts';
import { manifestObject, removeStored } from '../storage/manifest.ts';
import { tracedStorage } from '../storage/traced-storage.ts';
import type { Admission } from './admission.ts';
import type { SentDigest } from './body-digests.ts';
import { enqueueInSpan, receiveInSpan } from './intake-spans.ts';
import { capacityErrorOf, openingError } from './opening-error.ts';
import { afterQueued, queued, type JobQueue } from './queued-upload.ts';
import { keptOptions } from './options.ts';
import { receiveFile, type ReceiveParts } from './receive.ts';
import { listenForOtherRequests, ReceiveProgress, rejectionToError, type ReportReceived } from './receive-progress.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** The latest possible date, so that no unfinished file is too young to be removed. No request writes any more. */
const AFTER_ALL_WRITES = new Date(8_640_000_000_000_000);

/** The parts that the intake needs. */
export interface IntakeParts extends ReceiveParts {
  records: UploadRecords;
  queue: JobQueue;
  admission: Pick<
    Admission,
    | 'queueLimits'
    | 'requireRate'
    | 'requireCapacity'
    | 'rejection'
    | 'limitRejection'
    | 'discarded'
    | 'recordBounds'
    | 'recordRejection'
    | 'isUnderPressure'
    | 'notAnswered'
  >;
  listen: Subscribe;
}

/** The properties of a file that are known before its bytes. */
export type FileAnnouncement = Omit<NewUpload, 'fencingToken' | 'caller'>;

/** The parameters with which a file is received. */
interface ReceiveOptions {
  /** Called if the upload is cancelled or superseded while no bytes arrive. Without it, the next chunk throws. */
  onRejected?: (rejection: ServiceError) => void;
  /** Digests that the client has computed of the file. Default none. */
  digests?: readonly SentDigest[];
}

/** A new upload, or the upload that is stored under the id. */
type OpenedUpload = { opened: IncomingUpload } | { existing: UploadRecord };

/**
 * One file that is being received, from the first version of its record to the queue. A later request with the same id
 * gets a new fencing token. From then on the record rejects all changes of this one.
 * After `receive`, end it with exactly one of `enqueue`, `reject` and `forget`.
 */
export class IncomingUpload {
  readonly record: UploadRecord;
  readonly #parts: IntakeParts;
  readonly #scope: RequestScope;
  readonly #progress: ReceiveProgress;
  readonly #report: ReportReceived;
  #keepAlive: NodeJS.Timeout | undefined;
  #stored: StoredUpload | undefined;
  #isEnqueueSent = false;
  #keepsBytes = false;

  private constructor(parts: IntakeParts, scope: RequestScope, record: UploadRecord, report: ReportReceived) {
    this.#parts = parts;
    this.#scope = scope;
    this.record = record;
    this.#report = report;
    this.#progress = new ReceiveProgress(report, scope.log);
  }

  /**
   * Creates the record or takes it over. Throws the refusal of the caller if it may not create the upload, and
   * `upload_gone` (410) for the id of a deleted upload. With `limits` it
   * throws `queue_full` (503) or `too_many_queued_by_address` (429) if the queue is full now. It throws
   * `too_many_records` (503) or `too_many_records_by_address` (429) if a new record would exceed its limit, and
   * `quota_exceeded` (429) or `ticket_forbids` (403) if its owner may not begin it. Nothing is changed then.
   */
  static async open(
    parts: IntakeParts,
    scope: RequestScope,
    announced: FileAnnouncement,
    limits?: QueueLimits,
  ): Promise<OpenedUpload> {
    const options = keptOptions(parts.kinds, announced.options);
    const upload = { ...announced, options, fencingToken: randomUUID(), caller: scope.caller };
    const outcome = await parts.records.open(upload, limits, parts.admission.recordBounds(scope.address));
    if (!outcome.applied && outcome.rejection === 'refused' && scope.caller.refusal !== undefined)
      throw scope.caller.refusal;
    const refusal = outcome.applied
      ? undefined
      : await openingError(parts.admission, announced.id, scope.address, outcome);
    if (refusal !== undefined) throw refusal;
    const record = recordOf(outcome);
    if (!outcome.applied) return { existing: record };
    // Repeated failures would fill the disk. A request that takes over removes nothing, because Redis may forget it.
    if (outcome.restarted === true) await removeOrphanFiles(parts, announced.id);
    const report: ReportReceived = (receivedBytes) =>
      parts.records.receive(record.id, record.fencingToken, receivedBytes, announced.totalBytes);
    return { opened: new IncomingUpload(parts, scope, record, report) };
  }

  /** Receives the bytes of an upload that the caller has begun. `report` sends their count to the record. */
  static begun(parts: IntakeParts, scope: RequestScope, record: UploadRecord, report: ReportReceived): IncomingUpload {
    return new IncomingUpload(parts, scope, record, report);
  }

  /**
   * Returns an upload whose bytes and manifest were stored by several requests. Only call its `enqueue`. If the queue
   * is full then, only the manifest is removed, because the client will ask again.
   */
  static ofStored(parts: IntakeParts, scope: RequestScope, record: UploadRecord, stored: StoredUpload): IncomingUpload {
    const upload = new IncomingUpload(parts, scope, record, (receivedBytes) =>
      parts.records.receive(record.id, record.fencingToken, receivedBytes, record.totalBytes),
    );
    upload.#stored = stored;
    upload.#keepsBytes = true;
    return upload;
  }

  /**
   * Streams the bytes and the manifest to the storage. Both are durable when it resolves. Rejects as `receiveFile`
   * does. No file is left then, and the caller calls `reject` or `forget`.
   */
  async receive(
    chunks: AsyncIterable<Buffer>,
    options: unknown,
    maxBytes: number,
    { onRejected, digests = [] }: ReceiveOptions = {},
  ): Promise<void> {
    const { record } = this;
    const { id, fencingToken, allowed } = record;
    const manifestOf = (stored: StoredUpload) => manifestObject(manifestOfRecord(record, stored));
    const file = { id, fencingToken, chunks, options, maxBytes, allowed, digests, manifestOf };
    if (onRejected !== undefined)
      this.#progress.watchForRejection(listenForOtherRequests(this.#parts, this.record), onRejected);
    try {
      this.#stored = await receiveInSpan(this.#parts, this.#scope, id, (parts) =>
        receiveFile(parts, file, this.#progress),
      );
      this.#keepReporting();
    } catch (error) {
      await this.#removeFiles().catch((failure: unknown) =>
        this.#scope.log.warn({ err: failure, upload: uploadRef(id) }, 'files not removed'),
      );
      throw await this.#reasonOf(error);
    } finally {
      await this.#progress.close();
    }
  }

  /**
   * Queues the stored file. Throws `upload_superseded` (409) if another request has taken over, `queue_full` (503) or
   * `too_many_queued_by_address` (429) if the queue is full, and `quota_exceeded` (429). Its files are removed then. If
   * Redis does not respond, the bytes and the manifest stay, because the record may be queued. Then a retry returns the
   * same upload, or `reject` removes the files, or the janitor.
   */
  async enqueue(): Promise<ReadRecord> {
    const { id, fencingToken } = this.record;
    if (this.#stored === undefined) throw new Error('nothing is stored yet');
    clearInterval(this.#keepAlive);
    this.#isEnqueueSent = true;
    const { address } = this.#scope;
    const outcome = await this.#enqueueOrRestore(this.#stored);
    if (!outcome.applied) {
      // This process was paused until the janitor considered it dead and queued the stored file.
      if (outcome.record?.fencingToken === fencingToken && outcome.record.stored)
        return queued(outcome.record, outcome);
      const noCapacity = await capacityErrorOf(this.#parts.admission, address, outcome);
      const keepsBytes = noCapacity !== undefined && this.#keepsBytes;
      await (keepsBytes ? this.#parts.storage.remove(manifestKey(id, fencingToken)) : this.#removeFiles());
      throw noCapacity ?? rejectionToError(outcome);
    }
    // The upload is queued from here on.
    return await afterQueued(this.#parts, this.#scope, outcome.record ?? this.record, this.#stored, outcome);
  }

  /** Rebuilds the record from the manifest if Redis has lost it since the request began. */
  async #enqueueOrRestore(stored: StoredUpload): Promise<ChangeOutcome> {
    const { records, admission } = this.#parts;
    const { id, fencingToken } = this.record;
    const limits = admission.queueLimits(this.#scope.address);
    const enqueue = async (): Promise<ChangeOutcome> =>
      await enqueueInSpan(this.#scope, id, stored, (queuing) => records.enqueue(id, fencingToken, queuing, limits));
    const outcome = await enqueue();
    if (outcome.applied || outcome.rejection !== 'missing') return outcome;
    const restored = await records.restore(manifestOfRecord(this.record, stored));
    // If another request has created the record in the meantime, it decides.
    return restored.applied ? restored : await enqueue();
  }

  /** Ends the record as failed, with the reason. Undefined if another request has taken over. */
  async reject(error: ServiceError): Promise<UploadRecord | undefined> {
    clearInterval(this.#keepAlive);
    const { id, fencingToken } = this.record;
    const found = { receivedBytes: this.#progress.receivedBytes, type: this.#progress.type };
    const outcome = await this.#parts.records.reject(id, fencingToken, toProblem(error, id), found);
    this.#scope.log.info({ upload: uploadRef(id), code: error.code }, 'upload rejected');
    // The file was stored but not queued, because Redis did not respond. Now it is certain that it is not needed.
    if (outcome.applied && this.#stored !== undefined) await this.#removeFiles();
    return outcome.applied ? outcome.record : undefined;
  }

  /**
   * Removes the files and the record, for an id that no client knows. An upload that may be queued is deleted first: a
   * worker may be processing it, and without a record the reconciliation scan would restore it from its manifest. If
   * Redis or the storage is away, this rejects, and the janitor removes the rest later.
   */
  async forget(): Promise<void> {
    clearInterval(this.#keepAlive);
    const { id, publicId } = this.record;
    if (this.#isEnqueueSent) await this.#parts.records.delete(id);
    await this.#removeFiles();
    // A writer may have failed to remove its unfinished file. Without a record the janitor would not find it.
    if (!this.#isEnqueueSent) await this.#parts.storage.removeUnfinished(uploadPrefix(id), AFTER_ALL_WRITES);
    await this.#parts.records.forget(id, publicId);
  }

  /** Reports while other files of the form are received. Otherwise the janitor would end this upload as abandoned. */
  #keepReporting(): void {
    const report = () => {
      this.#report(this.#progress.receivedBytes).catch((error: unknown) =>
        this.#scope.log.debug({ err: error }, 'keep-alive report failed'),
      );
    };
    this.#keepAlive = setInterval(report, this.#parts.records.silenceMs / 3).unref();
  }

  /**
   * Returns the rejection of the record instead of a storage error that a cancel has caused: it removes the files
   * before this request notices it.
   */
  async #reasonOf(error: unknown): Promise<unknown> {
    if (error instanceof ServiceError && error.code !== 'storage_unavailable') return error;
    const outcome = await this.#report(this.#progress.receivedBytes).catch(() => undefined);
    return outcome === undefined || outcome.applied ? error : rejectionToError(outcome);
  }

  async #removeFiles(): Promise<void> {
    const { id, fencingToken } = this.record;
    const storage = tracedStorage(this.#parts.storage, this.#scope.span);
    await removeStored(storage, id, fencingToken);
  }
}
