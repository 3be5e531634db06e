import { isFinalState, type Links, type Progress, type UploadState } from '../wire/documents.ts';
import { RECEIVE_SHARE_PERCENT } from '../wire/receive-share.ts';

/** The stage at the start of an attempt, until the processor reports another one. */
export const FIRST_STAGE = 'inspect';

/** The highest percent of an upload that is not completed. */
const LAST_PERCENT_BEFORE_DONE = 99.9;

/** A rate measured over less time than this is not used. */
const MIN_RATE_PERIOD_MS = 200;

/**
 * The fields of a record that progress is computed from. Each event carries them, so that waiters need not read the
 * record.
 */
export interface ProgressState {
  id: string;
  publicId: string;
  state: UploadState;
  version: number;
  percent: number;
  stage: string;
  receivedBytes: number;
  /** Size of the file. Null if the client did not send it. */
  totalBytes: number | null;
  /** Never goes down for an id, even if the upload is sent again, because it fences earlier attempts. */
  attempt: number;
  /** Number of attempts before the upload was sent again. */
  attemptBase: number;
  updatedAtMs: number;
  /** When the current phase (receiving, waiting or an attempt) began, and at which percent. */
  phaseStartedAtMs: number;
  phaseStartPercent: number;
  /** True once the uploaded bytes are durable. */
  stored: boolean;
  /** True if the upload was deleted. */
  deleted: boolean;
  /** Position of the span that queued the upload, see `encodeTraceContext`; only if the request was traced. */
  trace?: string;
  /** When the change was applied, with fractions of a millisecond. Only events have it. */
  eventAtMs?: number;
}

/** Values that are computed when a record is read. They never change the version. */
export interface ReadingContext {
  nowMs: number;
  /** Position in the queue, from 1; null unless queued. */
  queuePosition: number | null;
  timedOut?: boolean;
}

/** Builds the document that a client receives. */
export function toProgress(state: ProgressState, reading: ReadingContext): Progress {
  return {
    id: state.id,
    state: state.state,
    version: state.version,
    percent: state.percent,
    stage: state.stage,
    bytes: { received: state.receivedBytes, total: state.totalBytes },
    attempt: state.attempt - state.attemptBase,
    queuePosition: state.state === 'queued' ? reading.queuePosition : null,
    etaMs: estimateRemainingMs(state, reading.nowMs),
    updatedAt: new Date(state.updatedAtMs).toISOString(),
    final: isFinalState(state.state),
    timedOut: reading.timedOut ?? false,
    links: linksOf(state.id, state.publicId, state.stored),
  };
}

/** Returns absolute paths, so that they work behind every host name. */
export function linksOf(id: string, publicId: string, stored: boolean): Links {
  const self = `/uploads/${id}`;
  const links: Links = {
    self,
    progress: `${self}/progress`,
    result: `${self}/result`,
    events: `${self}/events`,
    cancel: `${self}/cancel`,
    variants: `/variants/${publicId}`,
  };
  return stored ? { ...links, content: `${self}/content` } : links;
}

/** Returns the percent while receiving. It is 0 if the total is unknown, because a guess could be too high. */
export function receivingPercent(receivedBytes: number, totalBytes: number | null): number {
  if (totalBytes === null || totalBytes <= 0) return 0;
  return toTenths(RECEIVE_SHARE_PERCENT * Math.min(1, receivedBytes / totalBytes));
}

/** Returns the percent of an upload that is stored and waits for a worker. */
export function queuedPercent(): number {
  return RECEIVE_SHARE_PERCENT;
}

/** Returns the percent while processing. `fraction` is the finished share of the processor's work, 0 to 1. */
export function processingPercent(fraction: number): number {
  const within = Math.min(1, Math.max(0, fraction));
  const percent = toTenths(RECEIVE_SHARE_PERCENT + (100 - RECEIVE_SHARE_PERCENT) * within);
  return Math.min(LAST_PERCENT_BEFORE_DONE, percent);
}

/**
 * Estimates the milliseconds to the end of the present phase from the rate so far. Returns null while waiting and until
 * there is a rate; 0 if final.
 */
export function estimateRemainingMs(state: ProgressState, nowMs: number): number | null {
  if (isFinalState(state.state)) return 0;
  const elapsedMs = nowMs - state.phaseStartedAtMs;
  if (elapsedMs < MIN_RATE_PERIOD_MS) return null;
  if (state.state === 'receiving') {
    if (state.totalBytes === null || state.receivedBytes === 0) return null;
    const remainingBytes = Math.max(0, state.totalBytes - state.receivedBytes);
    return Math.round((remainingBytes * elapsedMs) / state.receivedBytes);
  }
  const doneInPhase = state.percent - state.phaseStartPercent;
  if (state.state !== 'processing' || doneInPhase <= 0) return null;
  return Math.round(((100 - state.percent) * elapsedMs) / doneInPhase);
}

function toTenths(percent: number): number {
  return Math.floor(percent * 10) / 10;
}
