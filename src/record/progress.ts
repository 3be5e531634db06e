import { isFinalState, type Links, type Progress, type UploadState } from '../wire/documents.ts';

/** Receiving moves the percent from 0 to this, processing the rest of the way. */
const RECEIVE_SHARE_PERCENT = 30;

/** What an attempt is at from its beginning, until its processor says otherwise. */
export const FIRST_STAGE = 'inspect';

/** 100 belongs to `completed` alone. */
const LAST_PERCENT_BEFORE_DONE = 99.9;

/** Too early to speak of a rate. */
const MIN_RATE_PERIOD_MS = 200;

/** The part of a record that progress is told from; an event carries one, so that a waiter need not read the record. */
export interface ProgressState {
  id: string;
  publicId: string;
  state: UploadState;
  version: number;
  percent: number;
  stage: string;
  receivedBytes: number;
  /** Null where the client did not say. */
  totalBytes: number | null;
  /** Grows over all lives of an id, because it fences. */
  attempt: number;
  /** Attempts of earlier lives; the rest are of this one. */
  attemptBase: number;
  updatedAtMs: number;
  /** When the present phase (receiving, waiting or an attempt) began, and at which percent. */
  phaseStartedAtMs: number;
  phaseStartPercent: number;
  /** True once the uploaded bytes are durable. */
  stored: boolean;
  /** True for a tombstone. */
  deleted: boolean;
  /** When the change was made, with fractions of a millisecond; in an event alone. */
  eventAtMs?: number;
}

/** What is computed at the moment of reading and never moves the version. */
export interface ReadingContext {
  nowMs: number;
  /** 1 is next; null unless queued. */
  queuePosition: number | null;
  timedOut?: boolean;
}

/** The document a client sees. */
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

/** Absolute paths, so that they hold behind any host name. */
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

/** Percent while receiving. Without a total it stays 0: a guess could turn out to have been too much. */
export function receivingPercent(receivedBytes: number, totalBytes: number | null): number {
  if (totalBytes === null || totalBytes <= 0) return 0;
  return toTenths(RECEIVE_SHARE_PERCENT * Math.min(1, receivedBytes / totalBytes));
}

/** Percent of an upload whose bytes are all here and whose work has not begun. */
export function queuedPercent(): number {
  return RECEIVE_SHARE_PERCENT;
}

/** Percent while processing; `fraction` 0 to 1 of the processor's work. */
export function processingPercent(fraction: number): number {
  const within = Math.min(1, Math.max(0, fraction));
  const percent = toTenths(RECEIVE_SHARE_PERCENT + (100 - RECEIVE_SHARE_PERCENT) * within);
  return Math.min(LAST_PERCENT_BEFORE_DONE, percent);
}

/**
 * Milliseconds to the end of the present phase at the rate it has gone so far.
 * Null while waiting, and until there is a rate; 0 when final.
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
