import type { Problem, Progress, Upload } from '../../api.ts';
import type { UploadHandle } from '../upload-client.ts';
import type { UploadPhase } from '../client/task-spec.ts';
import { formatBytes, formatDuration } from './format.ts';
import type { Words } from './words.ts';

/** What the page knows of one picture. */
export interface LineModel {
  /** Null after a reload: the page has its name then, and no longer its bytes. */
  readonly file: File | null;
  readonly name: string;
  readonly sizeBytes: number;
  /** Null before its first start. */
  handle: UploadHandle | null;
  phase: UploadPhase;
  progress: Progress | null;
  /** The completed upload. */
  upload: Upload | null;
  problem: Problem | null;
  cancelling: boolean;
}

/** A line before anything has been done for it. */
export function createLineModel(file: File | null, name: string, sizeBytes: number): LineModel {
  return { file, name, sizeBytes, handle: null, phase: 'waiting', progress: null, upload: null, problem: null, cancelling: false };
}

/** How a line looks; the word is its `data-state` too. */
export type LineState = 'waiting' | 'sending' | 'working' | 'done' | 'failed' | 'cancelled';

/** What a line shows, in words. */
export interface LineText {
  state: LineState;
  stage: string;
  /** Null where there is nothing to tell. */
  timeLeft: string | null;
  /** Null while it waits for its turn, and once it is over without success. */
  percent: number | null;
}

/** True while something can still become of it. */
export function isBusy(model: LineModel): boolean {
  return model.upload === null && model.problem === null;
}

/** These say something of the bytes, which another try would send once more. */
const HOPELESS_CODES: ReadonlySet<string> = new Set([
  'unsupported_media_type', 'unsupported_encoding', 'empty_file', 'file_too_large', 'picture_damaged', 'picture_too_large', 'picture_unsupported',
]);

/** True where another try may end better, and the page still has the bytes. */
export function isWorthRetrying({ file, problem }: LineModel): boolean {
  return file !== null && problem !== null && !HOPELESS_CODES.has(problem.code);
}

/** What to show of it now. */
export function describeLine(model: LineModel, words: Words): LineText {
  if (model.upload) return { state: 'done', stage: words.done, timeLeft: null, percent: 100 };
  if (model.problem) return describeEnd(model, model.problem, words);
  const { progress } = model;
  const state = stateOf(model);
  return {
    state,
    stage: model.cancelling ? words.cancelling : stageOf(model, words),
    timeLeft: model.phase === 'retrying' || model.cancelling ? null : timeLeftOf(progress, words),
    percent: progress?.percent ?? (state === 'waiting' ? null : 0),
  };
}

function describeEnd({ file }: LineModel, problem: Problem, words: Words): LineText {
  if (problem.code === 'upload_cancelled') return { state: 'cancelled', stage: words.cancelled, timeLeft: null, percent: null };
  const isCutOff = file === null && ['unknown_upload', 'upload_interrupted'].includes(problem.code);
  return { state: 'failed', stage: isCutOff ? words.cutOff : words.problem(problem), timeLeft: null, percent: null };
}

function stateOf({ phase, progress }: LineModel): LineState {
  if (progress && progress.state !== 'receiving') return 'working';
  if (phase === 'sending' || phase === 'retrying' || progress) return 'sending';
  return 'waiting';
}

function stageOf(model: LineModel, words: Words): string {
  const { phase, progress, sizeBytes } = model;
  if (phase === 'retrying') return words.retrying;
  if (!progress) return phase === 'sending' ? sending(0, sizeBytes, words) : words.waiting;
  switch (progress.state) {
    case 'receiving':
      return sending(progress.bytes.received, progress.bytes.total ?? sizeBytes, words);
    case 'queued':
      return words.queued(progress.queuePosition);
    case 'processing':
      return progress.attempt > 1 ? `${words.step(progress.stage)}, ${words.attempt(progress.attempt)}` : words.step(progress.stage);
    default:
      return words.finishing;
  }
}

function sending(receivedBytes: number, totalBytes: number, words: Words): string {
  return words.sending(formatBytes(receivedBytes, words.locale), formatBytes(totalBytes, words.locale));
}

function timeLeftOf(progress: Progress | null, words: Words): string | null {
  if (progress?.etaMs === null || progress?.etaMs === undefined) return null;
  const duration = formatDuration(progress.etaMs, words.locale);
  return duration === null ? null : words.timeLeft(duration);
}
