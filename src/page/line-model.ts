import type { Problem, Progress, Upload } from '../wire/documents.ts';
import { RECEIVE_SHARE_PERCENT } from '../wire/receive-share.ts';
import type { UploadPhase } from '../client/upload-handle.ts';
import type { UploadHandle } from '../client/upload-client.ts';

/** The name and size of a file, which a reload of the page does not change. */
export interface FileFacts {
  readonly name: string;
  readonly sizeBytes: number;
}

/** The state of one file on the page. */
export interface LineModel extends FileFacts {
  /** The file to send. Null after a reload if the browser has no copy of it. */
  file: File | null;
  /** Null until the upload starts for the first time. */
  handle: UploadHandle | null;
  phase: UploadPhase;
  /** Why the phase is `retrying`; null in every other phase. */
  retryReason: Problem | null;
  progress: Progress | null;
  /** True if another file has since reported the same queue position. The position of this one is then not shown. */
  isPositionOld: boolean;
  /** The completed upload. */
  upload: Upload | null;
  problem: Problem | null;
  cancelling: boolean;
  /** True after the user chose a different file for this line. */
  wasMistaken: boolean;
  /**
   * Bytes that the browser has sent. They count only until the server reports bytes, because proxies may buffer them.
   */
  sentBytes: number;
  /** True while the server cannot be reached. */
  isOffline: boolean;
  /** The server's limit for one file; null if it is not known. */
  maxBytes: number | null;
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
    isPositionOld: false,
    upload: null,
    problem: null,
    cancelling: false,
    wasMistaken: false,
    sentBytes: 0,
    isOffline: false,
    maxBytes: null,
  };
}

/**
 * The look of a line, also its `data-state` attribute. A `stopped` line waits until the user chooses its file again.
 */
export type LineState = 'waiting' | 'sending' | 'paused' | 'working' | 'stopped' | 'done' | 'failed' | 'cancelled';

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
  // The body was too large for a proxy.
  'http_413',
]);

/** True if sending the file again may succeed and the page still has it. */
export function isWorthRetrying({ file, problem }: LineModel): boolean {
  return file !== null && problem !== null && !PERMANENT_CODES.has(problem.code);
}

/** Returns the look of a line. */
export function stateOf(model: LineModel): LineState {
  const { phase, progress, upload, problem } = model;
  if (upload) return 'done';
  if (isStopped(model)) return 'stopped';
  if (problem) return problem.code === 'upload_cancelled' ? 'cancelled' : 'failed';
  if (phase === 'paused') return 'paused';
  if (progress && progress.state !== 'receiving') return 'working';
  if (phase === 'sending' || phase === 'retrying' || progress) return 'sending';
  return 'waiting';
}

/** Returns the percent of an unfinished upload; null before it starts. */
export function percentOf(model: LineModel): number | null {
  const { progress, sentBytes, sizeBytes } = model;
  const isHidden = sentBytes > 0 && sizeBytes > 0 && !isDelivered(model) && !progress?.bytes.received;
  if (isHidden) return Math.max(progress?.percent ?? 0, (RECEIVE_SHARE_PERCENT * sentBytes) / sizeBytes);
  return progress?.percent ?? (stateOf(model) === 'sending' ? 0 : null);
}

/** Returns the bytes of the file that have left this page for the server, as far as the page knows. */
export function sentBytesOf(model: LineModel): number {
  if (isDelivered(model) || model.upload) return model.sizeBytes;
  return model.progress?.bytes.received || model.sentBytes;
}
