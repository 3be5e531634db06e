import { createHash } from 'node:crypto';
import type { Problem, Result, Variant } from '../src/api.ts';
import { problemOf } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import type { UploadRecord } from '../src/progress/record-fields.ts';
import type { ChangeOutcome } from '../src/progress/record-change.ts';
import type { UploadRecords } from '../src/progress/record.ts';
import { MAX_ATTEMPTS, type UploadJobData } from '../src/queue/contract.ts';
import { attemptPrefix, originalKey, variantKey } from '../src/storage/keys.ts';
import { putObject, type Storage } from '../src/storage/storage.ts';
import { AttemptProgress } from './attempt-progress.ts';
import type { PipelineContext } from './pipeline.ts';
import type { ProcessorEntry, ProcessorTable } from './processors.ts';
import { UnprocessableError } from './unprocessable-error.ts';

/** What running an upload needs. */
export interface RunnerParts {
  records: UploadRecords;
  storage: Storage;
  processors: ProcessorTable;
  log: Logger;
}

/**
 * How a job ended. `done`: its upload is final, or was none of ours to change; `superseded`: somebody else has
 * the upload by now, and may want a job of the same name; `handed-back`: it waits again, because this
 * process stops; `retry`: a fault of ours, to be tried again.
 */
export type RunOutcome = 'done' | 'superseded' | 'handed-back' | 'retry';

/** Why an attempt is stopped from outside: the upload is no longer its own. */
export const SUPERSEDED = new Error('the upload was cancelled or taken over');
/** The process stops: the attempt is handed back. */
export const STOPPING = new Error('this worker stops');

/**
 * Digests one upload: mints an attempt, runs the processor of its type, and ends the record. The record
 * decides everything: an attempt that was overtaken can change nothing, and its files are removed.
 */
export async function runUpload(parts: RunnerParts, job: UploadJobData, controller: AbortController): Promise<RunOutcome> {
  const { id } = job;
  const begun = await parts.records.begin(id);
  if (!begun.made) return await passOver(parts, id, begun.refusal);
  const { record } = begun;
  if (record === undefined) throw new Error('the record did not come back');
  const log = parts.log.child({ ...(job.requestId === undefined ? {} : { requestId: job.requestId }), uploadId: id, attempt: record.attempt });
  try {
    const result = await digest(parts, record, controller, log);
    const outcome = await parts.records.complete(id, record.attempt, result);
    if (!outcome.made) throw SUPERSEDED;
    log.info({ kind: result.kind }, 'upload completed');
    return 'done';
  } catch (error) {
    return await endAttempt(parts, record, controller.signal.aborted ? controller.signal.reason : error, log);
  }
}

/** A job whose record is final is a no-op; one that used up its attempts is failed here, so that nobody waits for ever. */
async function passOver(parts: RunnerParts, id: string, refusal: string): Promise<RunOutcome> {
  parts.log.info({ uploadId: id, refusal }, 'job passed over');
  if (refusal === 'exhausted') await parts.records.fail(id, undefined, processingFailed(id));
  return 'done';
}

async function digest(parts: RunnerParts, record: UploadRecord, controller: AbortController, log: Logger): Promise<Result> {
  const entry = parts.processors.find(record.type ?? '');
  if (entry === undefined) throw new UnprocessableError('unsupported_media_type', 'No processor takes files of this type.');
  const input = await parts.storage.openLocal(originalKey(record.id, record.receipt));
  if (input === undefined) throw new Error('the uploaded bytes are not in storage');
  try {
    return await runProcessor(parts, entry, record, input.path, controller, log);
  } finally {
    await input.release();
  }
}

async function runProcessor(
  parts: RunnerParts,
  entry: ProcessorEntry,
  record: UploadRecord,
  inputPath: string,
  controller: AbortController,
  log: Logger,
): Promise<Result> {
  const { id, publicId, attempt, options } = record;
  const progress = new AttemptProgress(
    (sequence, stage, fraction) => parts.records.advance(id, attempt, sequence, stage, fraction),
    () => controller.abort(SUPERSEDED),
    log,
  );
  const context: PipelineContext = {
    upload: { id, publicId, type: record.type ?? '', sizeBytes: record.receivedBytes, options },
    inputPath,
    signal: controller.signal,
    publishVariant: (variant, bytes) => publishVariant(parts, record, controller, variant, bytes),
  };
  try {
    return await entry.run(context, {
      report: (report) => progress.report(report),
      stepEnded: (stage, durationMs) => log.debug({ stage, durationMs: Math.round(durationMs) }, 'step ended'),
    });
  } finally {
    await progress.close();
  }
}

async function publishVariant(
  parts: RunnerParts,
  record: UploadRecord,
  controller: AbortController,
  made: Omit<Variant, 'size' | 'url'>,
  bytes: Buffer,
): Promise<Variant> {
  controller.signal.throwIfAborted();
  const key = variantKey(record.id, record.attempt, made.name, made.format);
  await putObject(parts.storage, key, bytes);
  const variant: Variant = { ...made, size: bytes.length, url: `/variants/${record.publicId}/${made.name}` };
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const outcome: ChangeOutcome = await parts.records.announce(record.id, record.attempt, { ...variant, key, sha256 });
  if (!outcome.made) controller.abort(SUPERSEDED);
  controller.signal.throwIfAborted();
  return variant;
}

async function endAttempt(parts: RunnerParts, record: UploadRecord, reason: unknown, log: Logger): Promise<RunOutcome> {
  try {
    return await recordEnd(parts, record, reason, log);
  } finally {
    // The record names them no more by now.
    await removeFiles(parts, record, log);
  }
}

async function recordEnd(parts: RunnerParts, record: UploadRecord, reason: unknown, log: Logger): Promise<RunOutcome> {
  const { id, attempt } = record;
  if (reason === SUPERSEDED) {
    log.info('attempt superseded');
    return 'superseded';
  }
  if (reason === STOPPING) {
    await parts.records.handBack(id, attempt);
    return 'handed-back';
  }
  if (reason instanceof UnprocessableError) {
    log.info({ code: reason.code, err: reason.cause }, 'upload cannot be processed');
    await parts.records.fail(id, attempt, problemOf(reason.code, reason.detail, id));
    return 'done';
  }
  log.error({ err: reason }, 'attempt failed');
  if (attempt - record.attemptBase < MAX_ATTEMPTS) {
    await parts.records.handBack(id, attempt);
    return 'retry';
  }
  await parts.records.fail(id, attempt, processingFailed(id));
  return 'done';
}

/** Losers' files are of no use; what fails here is left to the sweep. */
async function removeFiles(parts: RunnerParts, record: UploadRecord, log: Logger): Promise<void> {
  await parts.storage
    .removeAll(attemptPrefix(record.id, record.attempt))
    .catch((error: unknown) => log.warn({ err: error }, 'files of the attempt not removed'));
}

function processingFailed(id: string): Problem {
  return problemOf('processing_failed', 'Processing failed for a reason on our side, several times over. Send the file again later.', id);
}
