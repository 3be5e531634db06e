import { createReadStream } from 'node:fs';
import type { Logger } from '../src/telemetry/log.ts';
import type { StoredVariant, UploadRecord } from '../src/record/record-fields.ts';
import { recordOf, type RejectedChange } from '../src/record/change-outcome.ts';
import type { Taken } from '../src/record/take-next.ts';
import { isDependencyFault } from '../src/storage/dependency-fault.ts';
import { asServiceError, isMissing } from '../src/storage/file-errors.ts';
import { sha256Of } from '../src/storage/sha256.ts';
import { assemble, ASSEMBLE_STAGE, type Assembled } from './assemble.ts';
import type { PermitUse, RunnerParts, RunOutcome } from './attempt.ts';
import { endAttempt, isIsolated, processingFailed } from './attempt-end.ts';
import { removeDeadAttempts } from './attempt-files.ts';
import { AttemptProgress } from './attempt-progress.ts';
import { beginAttemptSpan, outcomeAttribute, stepSpans, tracedParts } from './attempt-spans.ts';
import { runBounded } from './bounded-run.ts';
import { MOST_SLOWNESS } from './charged-time.ts';
import { writeMissingManifest } from './missing-manifest.ts';
import type { PipelineContext } from './pipeline.ts';
import type { AnyResult } from './processor.ts';
import type { ProcessorEntry, RunProcessor } from './processors.ts';
import { createPublisher } from './publisher.ts';
import { STOPPING, SUPERSEDED } from './stop-reasons.ts';
import { UnprocessableError } from './unprocessable-error.ts';
import type { Span } from '../src/telemetry/tracing.ts';
import { uploadRef } from '../src/telemetry/upload-ref.ts';

/**
 * Uses a permit: begins an attempt of the upload that the record's script chooses, runs the processor of its type, and
 * writes the outcome to the record. If another attempt has taken over, the record rejects all changes of this one, and
 * its files are removed.
 */
export async function runUpload(parts: RunnerParts, use: PermitUse): Promise<RunOutcome> {
  const taken = await take(parts, use);
  if (taken.nothing) return taken.retryInMs === undefined ? 'unused' : { retryInMs: taken.retryInMs };
  if (!taken.outcome.applied) return await skip(parts, taken.outcome);
  const record = recordOf(taken.outcome);
  await use.begun(record);
  parts.onBegun?.(record);
  const { waitedSinceMs } = taken.outcome;
  const waitedMs = waitedSinceMs === undefined ? undefined : Math.max(0, record.phaseStartedAtMs - waitedSinceMs);
  parts.metrics?.attemptBegun(use.permit.kind, waitedMs);
  const span = beginAttemptSpan(parts, record, waitedSinceMs);
  try {
    const outcome = await span.run(() => runAttempt(tracedParts(parts, span), record, { ...use, span }));
    span.set(outcomeAttribute(outcome));
    return outcome;
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/** A permit in use, and the span of its attempt. */
type TracedUse = PermitUse & { readonly span: Span };

async function runAttempt(parts: RunnerParts, record: UploadRecord, use: TracedUse): Promise<RunOutcome> {
  const ended = measureAttempt(parts, use);
  const { id, requestId } = record;
  const log = parts.log.child({
    ...(requestId === null ? {} : { requestId }),
    upload: uploadRef(id),
    attempt: record.attempt,
  });
  if (record.deaths > 0) log.warn({ deaths: record.deaths, isIsolated: isIsolated(record) }, 'earlier attempts died');
  const manifestWritten = writeMissingManifest(parts.storage, record, log);
  try {
    const { result, ...found } = await digest(parts, record, use, log);
    const outcome = await parts.records.complete(id, record.attempt, result, found);
    if (!outcome.applied) throw SUPERSEDED;
    log.info({ kind: result.kind }, 'upload completed');
    await removeDeadAttempts(parts, record, log);
    ended('completed');
    return 'done';
  } catch (error) {
    const { signal } = use.controller;
    const reason: unknown = signal.aborted ? signal.reason : error;
    if (reason !== SUPERSEDED && reason !== STOPPING) use.span.fail(reason);
    const outcome = await endAttempt(parts, record, reason, log);
    ended(outcome === 'done' ? 'failed' : outcome === 'superseded' ? outcome : 'requeued');
    return outcome;
  } finally {
    await manifestWritten;
  }
}

/** Returns the function to call with the outcome of the attempt. */
function measureAttempt({ metrics }: RunnerParts, { permit: { kind } }: PermitUse): (outcome: string) => void {
  const startedAtMs = performance.now();
  return (outcome) => metrics?.attemptEnded(kind, outcome, performance.now() - startedAtMs);
}

async function take({ records }: RunnerParts, { permit: { kind, id, data } }: PermitUse): Promise<Taken> {
  if (data.id === undefined) return await records.take({ kind, id, replaces: data.permit });
  // The job of an older version names its upload.
  return { nothing: false, outcome: await records.begin(data.id, { kind, id }) };
}

/** Skips an upload whose record is final. An upload that has used up its attempts is failed here. */
async function skip(parts: RunnerParts, { rejection, record }: RejectedChange): Promise<RunOutcome> {
  if (record === undefined) return 'done';
  const { id } = record;
  const log = parts.log.child({ upload: uploadRef(id) });
  log.info({ rejection }, 'upload skipped');
  if (rejection !== 'exhausted') return 'done';
  const outcome = await parts.records.fail(id, undefined, processingFailed(id));
  if (outcome.applied) await removeDeadAttempts(parts, { ...record, attempt: record.attempt + 1 }, log);
  return 'done';
}

/** Milliseconds that an isolated process has to start on a busy machine. */
const ISOLATED_START_MS = 60_000;

/** The share of an assembly in the progress of an attempt. */
const ASSEMBLE_SHARE = 0.2;

/**
 * An assembly may take the time limit of an attempt, plus the time for its bytes at this rate. A slower disk is
 * unusable.
 */
const SLOWEST_BYTES_PER_MS = 1000;

/** Longest time that a timer of Node can have. */
const MOST_TIMEOUT_MS = 2 ** 31 - 1;

/** Bytes of one read. */
const READ_BYTES = 1024 * 1024;

/** The result and its files, and the SHA-256 of the uploaded file if workers compute it. */
interface Digested {
  result: AnyResult;
  variants: readonly StoredVariant[];
  sha256?: string;
}

async function digest(parts: RunnerParts, record: UploadRecord, use: TracedUse, log: Logger): Promise<Digested> {
  const entry = parts.processors.find(record.type ?? '');
  if (entry === undefined)
    throw new UnprocessableError('unsupported_media_type', 'No processor takes files of this type.');
  const progress = new AttemptProgress(
    (sequence, stage, fraction, files) =>
      parts.records.advance(record.id, record.attempt, sequence, stage, fraction, files),
    () => use.controller.abort(SUPERSEDED),
    log,
  );
  try {
    const { input, sha256 } = await openInput(parts, record, use, progress, log);
    try {
      const hash = () => sha256Of(createReadStream(input.path, { signal: use.controller.signal }));
      const announced = record.sha256 === null ? record.announcedSha256 : null;
      const checked =
        announced === null ? sha256 : await requireDigest(announced, async () => sha256 ?? (await hash()));
      const done = await runProcessor(parts, entry, record, input.path, { use, progress, log });
      if (record.sha256 !== null) return done;
      return { ...done, sha256: checked ?? (await hash()) };
    } catch (error) {
      if (!use.controller.signal.aborted) await assertReadable(parts, input.path);
      throw error;
    } finally {
      await input.release();
    }
  } finally {
    await progress.close();
  }
}

/** Opens the file of the upload, which may still be in parts. */
async function openInput(
  parts: RunnerParts,
  record: UploadRecord,
  { controller, stopping, onUnresponsive }: PermitUse,
  progress: AttemptProgress,
  log: Logger,
): Promise<Assembled> {
  const { storage, attemptTimeoutMs, abortGraceMs, checkStorage } = parts;
  const timeoutMs = Math.min(attemptTimeoutMs + record.receivedBytes / SLOWEST_BYTES_PER_MS, MOST_TIMEOUT_MS);
  const bounds = { controller, stopping, timeoutMs, abortGraceMs, onUnresponsive };
  const assembled = await assemble(storage, record, {
    signal: controller.signal,
    report: (fraction) => progress.report({ stage: ASSEMBLE_STAGE, fraction: fraction * ASSEMBLE_SHARE }),
    bounded: async (work) => await runBounded(work, bounds),
    log,
  });
  if (assembled !== undefined) return assembled;
  // The file may be missing because the disk is not mounted.
  await checkStorage();
  throw new Error('the uploaded bytes are not in storage');
}

/** Checks the digest before the file is processed. */
async function requireDigest(announced: string, hash: () => Promise<string>): Promise<string> {
  const found = await hash();
  if (found === announced) return found;
  throw new UnprocessableError(
    'digest_mismatch',
    `The file has the SHA-256 ${found}, but another one was announced. It was damaged on its way. Send it again.`,
  );
}

/**
 * Rejects with the error of the disk if the file cannot be read to its end. Libraries report such an error as a damaged
 * or missing file, and a process that has mapped the file into its memory dies.
 */
async function assertReadable({ checkStorage }: RunnerParts, path: string): Promise<void> {
  try {
    for await (const _chunk of createReadStream(path, { highWaterMark: READ_BYTES }));
  } catch (error) {
    const known = asServiceError(error);
    if (isDependencyFault(known)) throw known;
    if (isMissing(error)) await checkStorage();
  }
}

async function runProcessor(
  parts: RunnerParts,
  entry: ProcessorEntry,
  record: UploadRecord,
  inputPath: string,
  { use, progress, log }: { use: TracedUse; progress: AttemptProgress; log: Logger },
): Promise<Digested> {
  const { id, publicId, options } = record;
  const { controller, stopping, onUnresponsive } = use;
  // If there was an assembly, its share of the progress is done.
  const from = progress.isBegun ? ASSEMBLE_SHARE : 0;
  const publisher = createPublisher(parts, record, controller.signal, (file) => progress.announce(file));
  const context: PipelineContext = {
    upload: { id, publicId, type: record.type ?? '', sizeBytes: record.receivedBytes, options },
    inputPath,
    signal: controller.signal,
    publishVariant: publisher.publishVariant,
    publishFile: publisher.publishFile,
  };
  const steps = stepSpans(use.span, {
    report: ({ stage, fraction }) => progress.report({ stage, fraction: from + (1 - from) * fraction }),
    stepEnded: (stage, durationMs) => log.debug({ stage, durationMs: Math.round(durationMs) }, 'step ended'),
    printed: (output) => log.debug({ output }, 'output of the processor'),
  });
  const { run, timeoutMs } = planRun(parts, entry, record);
  try {
    const { abortGraceMs } = parts;
    const result = await runBounded(() => run(context, steps.hooks), {
      controller,
      stopping,
      timeoutMs,
      abortGraceMs,
      onUnresponsive,
    });
    progress.drop();
    return { result, variants: progress.files };
  } catch (error) {
    steps.failed(error);
    throw error;
  } finally {
    steps.close();
  }
}

/**
 * Returns how to run the processor, and for how long. A separate process enforces its own limit. The limit here ends a
 * run that hangs outside of it.
 */
function planRun(
  { runIsolated, attemptTimeoutMs }: RunnerParts,
  { run, separateLimitMs, isOnlyHere = false }: ProcessorEntry,
  record: UploadRecord,
): { run: RunProcessor; timeoutMs: number } {
  const staysHere = isOnlyHere || (separateLimitMs === undefined && !isIsolated(record));
  if (staysHere) return { run, timeoutMs: attemptTimeoutMs };
  const timeoutMs = (separateLimitMs ?? attemptTimeoutMs) * MOST_SLOWNESS + ISOLATED_START_MS;
  return { run: separateLimitMs === undefined ? runIsolated : run, timeoutMs };
}
