import { buffer } from 'node:stream/consumers';
import { asOutcome, ServiceError, toProblem } from '../../errors.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import { enqueueInSpan } from '../../intake/intake-spans.ts';
import { afterQueued, queued, type JobQueue } from '../../intake/queued-upload.ts';
import { acceptFile } from '../../intake/receive.ts';
import { rejectionToError } from '../../intake/receive-progress.ts';
import { SNIFF_BYTES } from '../../intake/sniff.ts';
import type { Kinds } from '../../kinds/kinds.ts';
import type { StoredUpload } from '../../record/open-record.ts';
import { manifestOfRecord } from '../../record/manifest-of-record.ts';
import type { ReadRecord } from '../../record/read-record.ts';
import { recordOf, type RejectedChange } from '../../record/change-outcome.ts';
import type { QueueLimits } from '../../record/record-change.ts';
import type { UploadRecords } from '../../record/record.ts';
import type { DirectParts } from '../../storage/direct-parts.ts';
import { originalKey } from '../../storage/keys.ts';
import { manifestObject, removeStored } from '../../storage/manifest.ts';
import { putObject, type Storage } from '../../storage/storage.ts';
import type { Logger } from '../../telemetry/log.ts';
import { uploadRef } from '../../telemetry/upload-ref.ts';
import { joinParts, type ClaimedPart } from './join-parts.ts';
import type { DirectUploadRecord } from './part-plan.ts';

/** The parts that finishing a direct upload needs, in an API process or in the janitor. */
export interface FinishParts {
  records: UploadRecords;
  storage: Storage;
  direct: DirectParts;
  kinds: Kinds;
  queue: JobQueue;
  log: Logger;
}

/** The parameters with which an upload is finished. */
interface FinishOptions {
  /** The parts as the sender names them. Default: the parts that the bucket has. */
  claimed?: readonly ClaimedPart[];
  /** Default: none, because the upload was admitted when it began. */
  limits?: QueueLimits;
  /** The request that finishes it. Default: none, because the janitor does. */
  scope?: Pick<RequestScope, 'id' | 'span'>;
  /** Returns the error if there is no place in the queue. Default: none. */
  capacityError?: (rejected: RejectedChange) => Promise<ServiceError | undefined>;
  /** Called for each upload that this one has evicted from the queue. */
  onDiscarded?: () => void;
}

/**
 * Joins the parts, determines the type of the file, writes the manifest and queues the upload. Several calls at once
 * have the same result: the record decides once. Throws as `joinParts`. A file that is rejected by its first bytes ends
 * the upload as failed and is removed. If there is no place in the queue, the object stays for the next call.
 */
export async function finishDirect(
  parts: FinishParts,
  record: DirectUploadRecord,
  options: FinishOptions = {},
): Promise<ReadRecord> {
  await joinParts(parts, record, options.claimed);
  const stored = await accept(parts, record);
  const manifest = manifestObject(manifestOfRecord(record, stored));
  await putObject(parts.storage, manifest.key, manifest.bytes);
  return await enqueue(parts, record, stored, options);
}

async function accept(parts: FinishParts, record: DirectUploadRecord): Promise<StoredUpload> {
  const key = originalKey(record.id, record.fencingToken);
  const head = await parts.storage.read(key, { start: 0, end: SNIFF_BYTES - 1 });
  if (head === undefined) throw await finishRejection(parts, record.id);
  // An error of the bucket says nothing about the file.
  const bytes = await buffer(head);
  try {
    const kind = await acceptFile(parts.kinds, bytes, record.options, record.allowed);
    return { ...kind, sizeBytes: record.totalBytes, sha256: null };
  } catch (error) {
    throw error instanceof ServiceError ? await reject(parts, record, error) : error;
  }
}

async function reject(
  { records, storage, log }: FinishParts,
  { id, fencingToken, totalBytes, type }: DirectUploadRecord,
  error: ServiceError,
): Promise<ServiceError> {
  const found = { receivedBytes: totalBytes, type };
  const outcome = await records.reject(id, fencingToken, toProblem(error, id), found);
  if (outcome.applied) log.info({ upload: uploadRef(id), code: error.code }, 'upload rejected');
  // Another call may have queued the upload.
  if (outcome.applied || outcome.record?.stored !== true) await storage.remove(originalKey(id, fencingToken));
  return asOutcome(error, id, 'failed');
}

/** Returns the error if the object was removed while this call ran. */
async function finishRejection({ records }: FinishParts, id: string): Promise<ServiceError> {
  const record = (await records.read(id))?.record;
  return rejectionToError({ applied: false, rejection: record === undefined ? 'missing' : 'final', record });
}

async function enqueue(
  parts: FinishParts,
  record: DirectUploadRecord,
  stored: StoredUpload,
  { limits, scope, capacityError, onDiscarded }: FinishOptions,
): Promise<ReadRecord> {
  const { id, fencingToken } = record;
  const outcome =
    scope === undefined
      ? await parts.records.enqueue(id, fencingToken, stored, limits)
      : await enqueueInSpan(scope, id, stored, (queuing) => parts.records.enqueue(id, fencingToken, queuing, limits));
  if (!outcome.applied) return await answerRejected(parts, id, fencingToken, outcome, capacityError);
  const admission = { discarded: () => onDiscarded?.() };
  return await afterQueued({ ...parts, admission }, parts, recordOf(outcome), stored, outcome);
}

/** Answers if another call has queued the upload, if it has ended meanwhile, or if there is no place in the queue. */
async function answerRejected(
  { storage }: FinishParts,
  id: string,
  fencingToken: string,
  rejected: RejectedChange,
  capacityError: FinishOptions['capacityError'],
): Promise<ReadRecord> {
  if (rejected.record?.fencingToken === fencingToken && rejected.record.stored)
    return queued(rejected.record, rejected);
  const noCapacity = await capacityError?.(rejected);
  if (noCapacity !== undefined) throw noCapacity;
  if (rejected.limit !== undefined) throw new Error(`the tenant has reached its limit ${rejected.limit.name}`);
  await removeStored(storage, id, fencingToken);
  throw rejectionToError(rejected);
}
