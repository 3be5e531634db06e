import { randomUUID } from 'node:crypto';
import { ServiceError, toProblem } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';
import { removeEndedJob, removeOrphanFiles } from '../record/orphan-files.ts';
import type { ChangeOutcome, QueueLimits, RejectedChange } from '../record/record-change.ts';
import type { NewUpload, StoredUpload } from '../record/open-record.ts';
import type { UploadRecords } from '../record/record.ts';
import type { Subscribe } from '../record/record-subscription.ts';
import type { ReadRecord } from '../record/read-record.ts';
import type { UploadRecord } from '../record/record-fields.ts';
import { manifestKey, originalKey, uploadPrefix } from '../storage/keys.ts';
import { manifestObject } from '../storage/manifest.ts';
import type { Storage } from '../storage/storage.ts';
import type { Admission } from './admission.ts';
import { keptOptions } from './parse-options.ts';
import { receiveFile, type ReceiveParts } from './receive.ts';
import { ReceiveProgress, rejectionToError, type ListenForOthers, type ReportReceived } from './receive-progress.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** Later than any file: every unfinished file of an upload that is forgotten may go, since its one request has ended. */
const NOBODY_WRITES_AFTER = new Date(8_640_000_000_000_000);

/** What the intake needs of the queue. */
export interface JobQueue {
  /** Twice is once. */
  add(id: string, requestId?: string): Promise<void>;
  remove(id: string): Promise<void>;
}

/** What receiving a file needs. */
export interface IntakeParts extends ReceiveParts {
  records: UploadRecords;
  queue: JobQueue;
  admission: Pick<
    Admission,
    'queueLimits' | 'requireCapacity' | 'refusal' | 'discarded' | 'recordBounds' | 'recordRejection'
  >;
  listen: Subscribe;
}

/** What is known of a file before its bytes. */
export type FileAnnouncement = Omit<NewUpload, 'fencingToken'>;

/** How an upload may be opened: as a new one, or not at all because the id has a stored or a deleted one. */
export type OpenedUpload = { opened: IncomingUpload } | { existing: UploadRecord };

/**
 * One file on its way in, from the record's first version to the queue. The fencing token it bears fences it:
 * whoever opens the same id later takes over, and this one can change nothing any more.
 * After `receive`, end it with exactly one of `enqueue`, `refuse` and `forget`.
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

  private constructor(parts: IntakeParts, scope: RequestScope, record: UploadRecord, report: ReportReceived) {
    this.#parts = parts;
    this.#scope = scope;
    this.record = record;
    this.#report = report;
    this.#progress = new ReceiveProgress(report, scope.log);
  }

  /**
   * Makes or takes over the record. Throws `upload_gone` (410) for an id that was deleted. With `limits` it throws
   * `queue_full` (503) or `too_many_queued_by_address` (429) where it would find none, and changes nothing then. So do
   * `too_many_records` (503) and `too_many_records_by_address` (429) where a new record is one too many.
   */
  static async open(
    parts: IntakeParts,
    scope: RequestScope,
    announced: FileAnnouncement,
    limits?: QueueLimits,
  ): Promise<OpenedUpload> {
    const options = keptOptions(parts.kinds, announced.options);
    const upload = { ...announced, options, fencingToken: randomUUID() };
    const outcome = await parts.records.open(upload, limits, parts.admission.recordBounds(scope.address));
    if (!outcome.applied && (outcome.rejection === 'records' || outcome.rejection === 'owned'))
      throw await parts.admission.recordRejection(outcome.rejection);
    if (lacksCapacity(outcome)) throw await parts.admission.refusal(outcome.rejection, scope.address);
    if (!outcome.applied && (outcome.rejection === 'deleted' || outcome.rejection === 'expired')) {
      throw new ServiceError('upload_gone', 'The upload of this id is gone. Send the file under a new id.', {
        id: announced.id,
      });
    }
    const { record } = outcome;
    if (record === undefined) throw new Error('the record did not come back');
    if (!outcome.applied && record.state !== 'completed' && outcome.rejection === 'final')
      throw rejectionToError(outcome);
    if (!outcome.applied) return { existing: record };
    // An earlier life or request may have left some: one that ended while Redis was away could not know whether they count.
    if (record.version > 1) await removeOrphanFiles(parts, announced.id);
    const report: ReportReceived = (receivedBytes) =>
      parts.records.receive(record.id, record.fencingToken, receivedBytes, announced.totalBytes);
    return { opened: new IncomingUpload(parts, scope, record, report) };
  }

  /**
   * Goes on, in whatever process, with an upload all of whose bytes have been reported before: `receive` then
   * only looks whether it still may. It bears a fencing token of its own, which fences whoever went on with it earlier.
   * Throws `upload_superseded` (409) or `upload_cancelled` (410).
   */
  static async resume(
    parts: IntakeParts,
    scope: RequestScope,
    { id, fencingToken }: UploadRecord,
  ): Promise<IncomingUpload> {
    const outcome = await parts.records.takeOver(id, fencingToken, randomUUID());
    if (!outcome.applied) throw rejectionToError(outcome);
    if (outcome.record === undefined) throw new Error('the record did not come back');
    const upload = new IncomingUpload(parts, scope, outcome.record, () => lookAt(parts.records, upload.record));
    await removeFiles(parts.storage, id, fencingToken);
    return upload;
  }

  /**
   * Streams the bytes and the manifest to storage; both are durable when it resolves. Rejects as
   * `receiveFile` does; then nothing of the file is left and `refuse` or `forget` is due. `onRefused` is told of a
   * cancel or a takeover while it waits for bytes, to end that; without it the next chunk does.
   */
  async receive(
    chunks: AsyncIterable<Buffer>,
    options: unknown,
    maxBytes: number,
    onRefused?: (refusal: ServiceError) => void,
  ): Promise<void> {
    const { id, fencingToken, publicId, fileName, createdAtMs, version: sequence } = this.record;
    const createdAt = new Date(createdAtMs).toISOString();
    const manifestOf = (stored: StoredUpload) =>
      manifestObject({ id, fencingToken, publicId, name: fileName, createdAt, sequence, ...stored });
    const file = { id, fencingToken, chunks, options, maxBytes, manifestOf };
    if (onRefused !== undefined) this.#progress.tellOfRefusal(listenForOthers(this.#parts, this.record), onRefused);
    try {
      this.#stored = await receiveFile(this.#parts, file, this.#progress);
      this.#stayAlive();
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
   * Hands the stored file to the workers. Throws where another request has taken over, and `queue_full` (503) or
   * `too_many_queued_by_address` (429) where there is no room: its files are gone then. If Redis does not
   * answer, the bytes and the manifest stay: the record may say queued all the same, and then a retry is answered with
   * the same upload. If the record does not say so, they go with the refusal or with the retry.
   */
  async enqueue(): Promise<ReadRecord> {
    const { id } = this.record;
    if (this.#stored === undefined) throw new Error('nothing is stored yet');
    clearInterval(this.#keepAlive);
    this.#isEnqueueSent = true;
    const { log, address, id: requestId } = this.#scope;
    const limits = this.#parts.admission.queueLimits(address);
    const outcome = await this.#parts.records.enqueue(id, this.record.fencingToken, this.#stored, limits);
    if (!outcome.applied) {
      // This process stood still for so long that the sweep has taken it for dead, and queued what it found.
      if (outcome.record?.fencingToken === this.record.fencingToken && outcome.record.stored)
        return placed(outcome.record, outcome);
      await this.#removeFiles();
      throw lacksCapacity(outcome)
        ? await this.#parts.admission.refusal(outcome.rejection, address)
        : rejectionToError(outcome);
    }
    // The record leads: it is queued from here on, and the sweep adds a job that could not be added now.
    log.info({ upload: uploadRef(id), type: this.#stored.type, sizeBytes: this.#stored.sizeBytes }, 'upload queued');
    await this.#parts.queue
      .add(id, requestId)
      .catch((error: unknown) => log.warn({ err: error, upload: uploadRef(id) }, 'job not added yet'));
    for (const gone of outcome.discarded ?? []) await this.#clearAway(gone);
    return placed(outcome.record ?? this.record, outcome);
  }

  /** Ends the record as failed with the reason. Undefined where another request has taken over meanwhile. */
  async refuse(error: ServiceError): Promise<UploadRecord | undefined> {
    clearInterval(this.#keepAlive);
    const { id, fencingToken } = this.record;
    const found = { receivedBytes: this.#progress.receivedBytes, type: this.#progress.type };
    const outcome = await this.#parts.records.reject(id, fencingToken, toProblem(error, id), found);
    this.#scope.log.info({ upload: uploadRef(id), code: error.code }, 'upload refused');
    // Stored, and not queued because Redis was away in that moment: now it is certain that nobody needs them.
    if (outcome.applied && this.#stored !== undefined) await this.#removeFiles();
    return outcome.applied ? outcome.record : undefined;
  }

  /**
   * Removes files and record, as though it had never come. For ids that nobody else knows. An upload that may be queued
   * keeps its files until its record is gone for certain: a worker may have it in hand.
   */
  async forget(): Promise<void> {
    clearInterval(this.#keepAlive);
    const { id, publicId } = this.record;
    if (!this.#isEnqueueSent) {
      await this.#removeFiles();
      // A writer that could not remove its unfinished file leaves it to us: without a record nobody would look for it.
      await this.#parts.storage.removeUnfinished(uploadPrefix(id), NOBODY_WRITES_AFTER);
    }
    await this.#parts.records.forget(id, publicId);
    if (this.#isEnqueueSent) await this.#removeFiles();
  }

  /** What is left of one that made room for this one; what fails here is done by the sweep. */
  async #clearAway(id: string): Promise<void> {
    const { log } = this.#scope;
    log.info({ upload: uploadRef(id) }, 'upload discarded');
    this.#parts.admission.discarded();
    const cleared = await Promise.allSettled([removeEndedJob(this.#parts, id), removeOrphanFiles(this.#parts, id)]);
    for (const { reason } of cleared.filter((work) => work.status === 'rejected'))
      log.warn({ err: reason as unknown, upload: uploadRef(id) }, 'not cleaned up');
  }

  /** Its siblings may come in for long yet; without a sign of life it would be taken for abandoned. */
  #stayAlive(): void {
    const report = () => {
      this.#report(this.#progress.receivedBytes).catch((error: unknown) =>
        this.#scope.log.debug({ err: error }, 'no sign of life given'),
      );
    };
    this.#keepAlive = setInterval(report, this.#parts.records.silenceMs / 3).unref();
  }

  /**
   * A cancel removes the files under a request that has not heard of it yet; what looks like a fault of the
   * disk then is the record's refusal.
   */
  async #reasonOf(error: unknown): Promise<unknown> {
    if (error instanceof ServiceError) return error;
    const outcome = await this.#report(this.#progress.receivedBytes).catch(() => undefined);
    return outcome === undefined || outcome.applied ? error : rejectionToError(outcome);
  }

  async #removeFiles(): Promise<void> {
    await removeFiles(this.#parts.storage, this.record.id, this.record.fencingToken);
  }
}

/** Calls `look` for the changes of a receiving upload that its own request has not made: it ends, or begins again. */
export function listenForOthers(
  { listen }: Pick<IntakeParts, 'listen'>,
  { id, version, phaseStartedAtMs }: UploadRecord,
): ListenForOthers {
  return (look) =>
    listen({
      ids: [id],
      isDone: false,
      // The report is the read: the record answers it with its refusal.
      read: async () => look(),
      changed: (event) =>
        event.version <= version || (event.state === 'receiving' && event.phaseStartedAtMs === phaseStartedAtMs),
    });
}

function placed(record: UploadRecord, { queuePosition }: ChangeOutcome): ReadRecord {
  return { record, queuePosition: queuePosition ?? null, nowMs: record.updatedAtMs };
}

function lacksCapacity(outcome: ChangeOutcome): outcome is RejectedChange & { rejection: 'full' | 'quota' } {
  return !outcome.applied && (outcome.rejection === 'full' || outcome.rejection === 'quota');
}

async function removeFiles(storage: Storage, id: string, fencingToken: string): Promise<void> {
  await storage.remove(manifestKey(id, fencingToken));
  await storage.remove(originalKey(id, fencingToken));
}

/** The answer that a report would get, without a report. */
async function lookAt(records: UploadRecords, { id, fencingToken }: UploadRecord): Promise<ChangeOutcome> {
  const record = (await records.read(id))?.record;
  if (record === undefined) return { applied: false, rejection: 'missing', record };
  if (record.state === 'cancelled' || record.deleted) return { applied: false, rejection: 'final', record };
  const isOurs = record.state === 'receiving' && record.fencingToken === fencingToken;
  return isOurs ? { applied: true, version: record.version, record } : { applied: false, rejection: 'fenced', record };
}
