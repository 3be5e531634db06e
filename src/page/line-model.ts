import type { Problem, Progress, Upload } from '../wire/documents.ts';
import type { UploadPhase } from '../client/task-spec.ts';
import type { UploadHandle } from '../client/upload-client.ts';
import { formatBytes, formatDuration } from './format.ts';
import type { Words } from './words.ts';

/** What stays the same of a file from one page to the next. */
export interface FileFacts {
  readonly name: string;
  readonly sizeBytes: number;
}

/** What the page knows of one file. */
export interface LineModel extends FileFacts {
  /** Null after a reload where the browser has not kept it. */
  file: File | null;
  /** Null before its first start. */
  handle: UploadHandle | null;
  phase: UploadPhase;
  progress: Progress | null;
  /** The completed upload. */
  upload: Upload | null;
  problem: Problem | null;
  cancelling: boolean;
  /** True once another file than this was chosen for it. */
  wasMistaken: boolean;
}

/** A line before anything has been done for it. */
export function createLineModel({ name, sizeBytes }: FileFacts, file: File | null): LineModel {
  return {
    name,
    sizeBytes,
    file,
    handle: null,
    phase: 'waiting',
    progress: null,
    upload: null,
    problem: null,
    cancelling: false,
    wasMistaken: false,
  };
}

/** How a line looks; the word is its `data-state` too. `stopped` waits for its file. */
export type LineState = 'waiting' | 'sending' | 'paused' | 'working' | 'stopped' | 'done' | 'failed' | 'cancelled';

/** What a line shows, in words. */
export interface LineText {
  state: LineState;
  stage: string;
  /** Null where there is nothing to tell. */
  timeLeft: string | null;
  /** Null while it waits for its turn, and once it is over without success. */
  percent: number | null;
}

/** True while something becomes of it by itself, or will once it is resumed. */
export function isBusy(model: LineModel): boolean {
  return model.upload === null && model.problem === null && !isStopped(model);
}

/** The server has not all bytes of these, and does not know them as finished or refused. */
const UNSENT_CODES: ReadonlySet<string> = new Set([
  'unknown_upload',
  'upload_interrupted',
  'upload_too_slow',
  'body_cut_short',
]);

/** True where the bytes are wanted and the page has them not. */
export function isStopped({ file, upload, problem, progress, cancelling }: LineModel): boolean {
  if (file !== null || upload !== null || cancelling) return false;
  return problem === null ? progress?.state === 'receiving' : UNSENT_CODES.has(problem.code);
}

/** True where the server has all bytes, whatever becomes of them. */
export function isDelivered({ phase, progress }: LineModel): boolean {
  return phase === 'following' || (progress !== null && progress.state !== 'receiving');
}

/** These say something of the bytes, which another try would send once more. */
const HOPELESS_CODES: ReadonlySet<string> = new Set([
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
]);

/** True where another try may end better, and the page still has the bytes. */
export function isWorthRetrying({ file, problem }: LineModel): boolean {
  return file !== null && problem !== null && !HOPELESS_CODES.has(problem.code);
}

/** What to show of it now. */
export function describeLine(model: LineModel, words: Words): LineText {
  if (model.upload) return { state: 'done', stage: words.done, timeLeft: null, percent: 100 };
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
  if (phase === 'retrying') return words.retrying;
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
