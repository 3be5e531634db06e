import type { Problem, Progress, Upload } from '../wire/documents.ts';
import type { UploadPhase } from '../client/task-spec.ts';
import type { UploadHandle } from '../client/upload-client.ts';
import { formatBytes, formatDuration } from './format.ts';
import { hasNotes } from './table-notes.ts';
import type { Words } from './words.ts';

/** The name and size of a file, which a reload of the page does not change. */
export interface FileFacts {
  readonly name: string;
  readonly sizeBytes: number;
}

/** The state of one file on the page. */
export interface LineModel extends FileFacts {
  /** Null after a reload if the browser has no copy of it. */
  file: File | null;
  /** Null until the upload starts for the first time. */
  handle: UploadHandle | null;
  phase: UploadPhase;
  /** Why the phase is `retrying`; null in every other phase. */
  retryReason: Problem | null;
  progress: Progress | null;
  /** The completed upload. */
  upload: Upload | null;
  problem: Problem | null;
  cancelling: boolean;
  /** True after the user chose a different file for this line. */
  wasMistaken: boolean;
}

/** Creates a line whose upload has not started. */
export function createLineModel({ name, sizeBytes }: FileFacts, file: File | null): LineModel {
  return {
    name,
    sizeBytes,
    file,
    handle: null,
    phase: 'waiting',
    retryReason: null,
    progress: null,
    upload: null,
    problem: null,
    cancelling: false,
    wasMistaken: false,
  };
}

/**
 * The look of a line, also its `data-state` attribute. A `stopped` line waits until the user chooses its file again.
 */
export type LineState = 'waiting' | 'sending' | 'paused' | 'working' | 'stopped' | 'done' | 'failed' | 'cancelled';

/** The texts and the progress of a line. */
export interface LineText {
  state: LineState;
  stage: string;
  /** Null if it cannot be estimated. */
  timeLeft: string | null;
  /** Null before the upload starts and after it has failed or was cancelled. */
  percent: number | null;
}

/** True until the upload is finished or failed, including while it is paused. False if it waits for its file. */
export function isBusy(model: LineModel): boolean {
  return model.upload === null && model.problem === null && !isStopped(model);
}

/** With these codes the server has not received the whole file, and sending the rest can still succeed. */
const UNSENT_CODES: ReadonlySet<string> = new Set([
  'unknown_upload',
  'upload_interrupted',
  'upload_too_slow',
  'body_cut_short',
]);

/** True if the server needs bytes that the page does not have. */
export function isStopped({ file, upload, problem, progress, cancelling }: LineModel): boolean {
  if (file !== null || upload !== null || cancelling) return false;
  return problem === null ? progress?.state === 'receiving' : UNSENT_CODES.has(problem.code);
}

/** True if the server has received all bytes. */
export function isDelivered({ phase, progress }: LineModel): boolean {
  return phase === 'following' || (progress !== null && progress.state !== 'receiving');
}

/** With these codes the bytes themselves are the cause, so sending them again cannot succeed. */
const PERMANENT_CODES: ReadonlySet<string> = new Set([
  'unsupported_media_type',
  'unsupported_encoding',
  'empty_file',
  'file_too_large',
  'picture_damaged',
  'picture_too_large',
  'picture_too_costly',
  'picture_unsupported',
  'table_damaged',
  'table_encrypted',
  'table_line_too_long',
  'table_too_large',
  'picture_crashes_worker',
  'file_damaged',
  'file_too_costly',
  'file_crashes_worker',
  'ticket_forbids',
]);

/** True if sending the file again may succeed and the page still has it. */
export function isWorthRetrying({ file, problem }: LineModel): boolean {
  return file !== null && problem !== null && !PERMANENT_CODES.has(problem.code);
}

/** Returns the texts and the progress that the line shows now. */
export function describeLine(model: LineModel, words: Words): LineText {
  if (model.upload)
    return {
      state: 'done',
      stage: needsNotes(model.upload) ? words.doneWithNotes : words.done,
      timeLeft: null,
      percent: 100,
    };
  if (isStopped(model)) return describeStop(model, words);
  if (model.problem) return describeEnd(model.problem, words);
  const { progress } = model;
  const state = stateOf(model);
  return {
    state,
    stage: model.cancelling ? words.cancelling : stageOf(model, words),
    timeLeft: state === 'paused' || model.phase === 'retrying' || model.cancelling ? null : timeLeftOf(progress, words),
    percent: progress?.percent ?? (state === 'sending' ? 0 : null),
  };
}

/** True if the result leaves something out or contains a guess. */
export function needsNotes({ result }: Upload): boolean {
  return result?.kind === 'table' && hasNotes(result);
}

function describeStop({ name, progress, wasMistaken }: LineModel, words: Words): LineText {
  const stage = wasMistaken ? words.wrongFile(name) : words.needsFile;
  return { state: 'stopped', stage, timeLeft: null, percent: progress?.percent ?? null };
}

function describeEnd(problem: Problem, words: Words): LineText {
  const isCancelled = problem.code === 'upload_cancelled';
  return {
    state: isCancelled ? 'cancelled' : 'failed',
    stage: isCancelled ? words.cancelled : words.problem(problem),
    timeLeft: null,
    percent: null,
  };
}

function stateOf({ phase, progress }: LineModel): LineState {
  if (phase === 'paused') return 'paused';
  if (progress && progress.state !== 'receiving') return 'working';
  if (phase === 'sending' || phase === 'retrying' || progress) return 'sending';
  return 'waiting';
}

function stageOf(model: LineModel, words: Words): string {
  const { phase, progress } = model;
  if (phase === 'paused') return pausedAt(model, words);
  if (phase === 'retrying') return describeRetry(model, words);
  if (!progress) return phase === 'sending' ? words.sending(...amounts(model, words)) : words.waiting;
  switch (progress.state) {
    case 'receiving':
      return words.sending(...amounts(model, words));
    case 'queued':
      return words.queued(progress.queuePosition);
    case 'processing':
      return progress.attempt > 1
        ? `${words.step(progress.stage)}, ${words.attempt(progress.attempt)}`
        : words.step(progress.stage);
    default:
      return words.finishing;
  }
}

/** A server that has refused the file for now can be reached, so the user sees its reason. */
function describeRetry({ retryReason }: LineModel, words: Words): string {
  return retryReason === null || retryReason.code === 'connection_lost' ? words.retrying : words.refused(retryReason);
}

function pausedAt(model: LineModel, words: Words): string {
  return (model.progress?.bytes.received ?? 0) === 0 ? words.pausedEarly : words.paused(...amounts(model, words));
}

function amounts({ progress, sizeBytes }: LineModel, { locale }: Words): [received: string, total: string] {
  return [formatBytes(progress?.bytes.received ?? 0, locale), formatBytes(progress?.bytes.total ?? sizeBytes, locale)];
}

function timeLeftOf(progress: Progress | null, words: Words): string | null {
  if (progress?.etaMs === null || progress?.etaMs === undefined) return null;
  const duration = formatDuration(progress.etaMs, words.locale);
  return duration === null ? null : words.timeLeft(duration);
}
