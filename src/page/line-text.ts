import type { Problem, Progress } from '../wire/documents.ts';
import { formatBoth, formatBytes, formatDuration } from './format.ts';
import { type LineModel, type LineState, percentOf, sentBytesOf, stateOf } from './line-model.ts';
import { needsNotes } from './result-notes.ts';
import type { Words } from './words.ts';

/** The texts and the progress of a line. */
interface LineText {
  state: LineState;
  stage: string;
  /** The remaining time. Null if it cannot be estimated. */
  timeLeft: string | null;
  /** The shown percent. Null before the upload starts and after it has failed or was cancelled. */
  percent: number | null;
}

/** Returns the texts and the progress that the line shows now. */
export function describeLine(model: LineModel, words: Words): LineText {
  const state = stateOf(model);
  const { progress } = model;
  const stage = stageOf(model, state, words);
  if (state === 'done') return { state, stage, timeLeft: null, percent: 100 };
  if (state === 'failed' || state === 'cancelled') return { state, stage, timeLeft: null, percent: null };
  return {
    state,
    stage,
    timeLeft: isAdvancing(model, state) ? timeLeftOf(progress, words) : null,
    percent: percentOf(model),
  };
}

function isAdvancing({ phase, cancelling, isOffline }: LineModel, state: LineState): boolean {
  return state !== 'paused' && state !== 'stopped' && phase !== 'retrying' && !cancelling && !isOffline;
}

function stageOf(model: LineModel, state: LineState, words: Words): string {
  switch (state) {
    case 'done':
      return model.upload && needsNotes(model.upload) ? words.doneWithNotes : words.done;
    case 'stopped':
      return model.wasMistaken ? words.wrongFile(model.name) : words.needsFile;
    case 'cancelled':
      return words.cancelled;
    case 'failed':
      return model.problem ? reasonOf(model.problem, model, words) : '';
    case 'paused':
      return model.cancelling ? words.cancelling : pausedAt(model, words);
    default:
      return model.cancelling ? words.cancelling : activityOf(model, words);
  }
}

function reasonOf(problem: Problem, { sizeBytes, maxBytes }: LineModel, words: Words): string {
  const isTooLarge = problem.code === 'file_too_large' && maxBytes !== null && sizeBytes > maxBytes;
  return isTooLarge ? words.tooLarge(...formatBoth(sizeBytes, maxBytes, words.locale)) : words.problem(problem);
}

function activityOf(model: LineModel, words: Words): string {
  const { phase, progress, isOffline } = model;
  if (phase === 'retrying') return describeRetry(model, words);
  // The page cannot know the place in a queue or the step of a server that it does not reach.
  if (isOffline) return words.waitingForServer;
  if (!progress) return phase === 'sending' ? words.sending(...amounts(model, words)) : words.waiting;
  switch (progress.state) {
    case 'receiving':
      return words.sending(...amounts(model, words));
    case 'queued':
      return words.queued(model.isPositionOld ? null : progress.queuePosition);
    case 'processing':
      return progress.attempt > 1
        ? `${words.step(progress.stage)}, ${words.attempt(progress.attempt)}`
        : words.step(progress.stage);
    default:
      return words.finishing;
  }
}

/** Describes a retry: with the reason of the server if it has refused the file for now, else as a lost connection. */
function describeRetry({ retryReason }: LineModel, words: Words): string {
  return retryReason === null || retryReason.code === 'connection_lost' ? words.retrying : words.refused(retryReason);
}

function pausedAt(model: LineModel, words: Words): string {
  return sentBytesOf(model) === 0 ? words.pausedEarly : words.paused(...amounts(model, words));
}

function amounts(model: LineModel, { locale }: Words): [sent: string, total: string] {
  const total = model.progress?.bytes.total ?? model.sizeBytes;
  return [formatBytes(sentBytesOf(model), locale), formatBytes(total, locale)];
}

function timeLeftOf(progress: Progress | null, words: Words): string | null {
  if (progress?.etaMs === null || progress?.etaMs === undefined) return null;
  const duration = formatDuration(progress.etaMs, words.locale);
  return duration === null ? null : words.timeLeft(duration);
}
