import type { Problem } from '../src/wire/documents.ts';
import { codeOfKind, problemOf } from '../src/errors.ts';
import type { Logger } from '../src/telemetry/log.ts';
import type { ChangeOutcome } from '../src/record/change-outcome.ts';
import type { Requeuing } from '../src/record/record-change.ts';
import { removeOrphanFiles } from '../src/record/orphan-files.ts';
import type { UploadRecord } from '../src/record/record-fields.ts';
import { isDependencyFault } from '../src/storage/dependency-fault.ts';
import { MAX_FAULTS } from '../src/queue/contract.ts';
import type { RunnerParts, RunOutcome } from './attempt.ts';
import { removeAttemptFiles, removeDeadAttempts } from './attempt-files.ts';
import { ProcessDied } from './isolation/process-died.ts';
import { retryPauseMs } from './retries.ts';
import { STOPPING, SUPERSEDED, TIMED_OUT } from './stop-reasons.ts';
import { UnprocessableError } from './unprocessable-error.ts';

/** After this many deaths the file runs in a process of its own, because another file may have caused the deaths. */
const ISOLATE_AFTER_DEATHS = 2;

/** True if the upload runs in a process of its own. */
export function isIsolated({ deaths }: Pick<UploadRecord, 'deaths'>): boolean {
  return deaths >= ISOLATE_AFTER_DEATHS;
}

/** Ends an attempt that has no result: writes its end to the record, unless it was overtaken, and removes its files. */
export async function endAttempt(
  parts: RunnerParts,
  record: UploadRecord,
  reason: unknown,
  log: Logger,
): Promise<RunOutcome> {
  try {
    const outcome = await recordEnd(parts, record, reason, log);
    if (outcome === 'done') await removeDeadAttempts(parts, record, log);
    return outcome;
  } finally {
    // The record no longer names these files.
    await removeAttemptFiles(parts, record, log);
  }
}

async function recordEnd(parts: RunnerParts, record: UploadRecord, reason: unknown, log: Logger): Promise<RunOutcome> {
  const { id, attempt } = record;
  if (reason === SUPERSEDED) {
    log.info('attempt superseded');
    return 'superseded';
  }
  if (reason === STOPPING) return await requeue(parts, record);
  if (isDependencyFault(reason)) {
    const pauseMs = await parts.noticeDependencyFault();
    log.info({ err: reason, pauseMs }, 'attempt requeued: the storage cannot be used');
    return await requeue(parts, record, { pauseMs });
  }
  if (reason instanceof ProcessDied && !isIsolated(record)) {
    // Before two deaths, only a processor that always needs a process of its own can end like this.
    log.warn({ err: reason }, 'process of the attempt died');
    return await requeue(parts, record, { deaths: record.deaths + 1 });
  }
  const isTooSlow = reason === TIMED_OUT || isTimeoutOfKind(parts, record, reason);
  const problem = isTooSlow && !isIsolated(record) ? undefined : problemOfFile(parts, record, reason);
  if (problem !== undefined) {
    log.info({ code: problem.code, err: reason }, 'upload cannot be processed');
    const outcome = outcomeOf(await parts.records.fail(id, attempt, problem), 'done');
    if (problem.code === 'digest_mismatch' && outcome === 'done') await removeBytes(parts, record, log);
    return outcome;
  }
  if (isTooSlow) {
    log.warn('attempt took too long, the next one runs alone');
    // Other files may have slowed this one down. In a process of its own a file is charged only its own time.
    return await requeue(parts, record, { deaths: ISOLATE_AFTER_DEATHS });
  }
  log.error({ err: reason }, 'attempt failed');
  const faults = record.faults + 1;
  if (faults < MAX_FAULTS) return await requeue(parts, record, { faults, pauseMs: retryPauseMs(faults) });
  return outcomeOf(await parts.records.fail(id, attempt, processingFailed(id)), 'done');
}

/** Removes a file that differs from the announced one. If it fails, the janitor does it later. */
async function removeBytes(parts: RunnerParts, { id }: UploadRecord, log: Logger): Promise<void> {
  await removeOrphanFiles(parts, id).catch((error: unknown) =>
    log.warn({ err: error }, 'orphan files of the upload not removed'),
  );
}

async function requeue(
  { records }: RunnerParts,
  { id, attempt }: UploadRecord,
  changes: Requeuing = {},
): Promise<RunOutcome> {
  const { pauseMs } = changes;
  const outcome: RunOutcome = pauseMs === undefined ? 'requeued' : { retryInMs: pauseMs };
  return outcomeOf(await records.requeue(id, attempt, changes), outcome);
}

/** True if a step has taken longer than the processor allows. */
function isTimeoutOfKind(parts: RunnerParts, record: UploadRecord, reason: unknown): boolean {
  return reason instanceof UnprocessableError && reason.code === codeOfKind(kindOf(parts, record), 'timeout');
}

function kindOf(parts: RunnerParts, record: UploadRecord): string {
  return parts.processors.find(record.type ?? '')?.kind ?? 'file';
}

/** Returns the problem of the file, or undefined if the file may not be at fault. */
function problemOfFile(parts: RunnerParts, record: UploadRecord, reason: unknown): Problem | undefined {
  const { id } = record;
  if (reason instanceof UnprocessableError) return problemOf(reason.code, reason.detail, id);
  const kind = kindOf(parts, record);
  if (reason instanceof ProcessDied) return problemOf(codeOfKind(kind, 'crashes_worker'), CRASHES, id);
  if (reason === TIMED_OUT) return problemOf(codeOfKind(kind, 'timeout'), TAKES_TOO_LONG, id);
  return undefined;
}

const CRASHES =
  'This file repeatedly crashed the reader, even when processed alone. Save it again in another program and upload it.';

const TAKES_TOO_LONG =
  'This file repeatedly took too long. Make it smaller or save it again in another program, and upload the new file.';

/**
 * Returns `outcome`, or `superseded` if the record rejected the change: another attempt or request then has the upload.
 */
function outcomeOf(change: ChangeOutcome, outcome: RunOutcome): RunOutcome {
  return change.applied ? outcome : 'superseded';
}

/** The problem of an upload whose attempts failed because of the service. */
export function processingFailed(id: string): Problem {
  return problemOf(
    'processing_failed',
    'Processing failed several times because of a fault of the service. Send the file again later.',
    id,
  );
}
