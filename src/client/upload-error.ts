import type { Problem, Upload } from '../wire/documents.ts';

/** Codes that the client itself gives, beside those of the server. */
export type ClientErrorCode = 'connection_lost' | 'unexpected_answer' | 'aborted' | 'upload_cancelled';

/**
 * Why an upload has not ended well, or why a request failed. `problem` is the server's own
 * where it sent one; where no answer came its `status` is 0.
 */
export class UploadError extends Error {
  readonly problem: Problem;
  /** What `Retry-After` asked for, in milliseconds. */
  readonly retryAfterMs: number | null;

  constructor(problem: Problem, options: { retryAfterMs?: number | null; cause?: unknown } = {}) {
    super(problem.detail, { cause: options.cause });
    this.name = 'UploadError';
    this.problem = problem;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }

  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }
}

const CLIENT_ERRORS: Record<ClientErrorCode, readonly [title: string, detail: string]> = {
  connection_lost: ['Connection lost', 'The server could not be reached.'],
  unexpected_answer: ['Unexpected answer', 'The server sent something that is not understood.'],
  aborted: ['Request aborted', 'The request was given up before its answer came.'],
  upload_cancelled: ['Upload cancelled', 'The upload was cancelled.'],
};

/** An error that arose on this side of the wire. */
export function clientError(code: ClientErrorCode, cause?: unknown): UploadError {
  const [title, detail] = CLIENT_ERRORS[code];
  return new UploadError({ type: 'about:blank', title, status: 0, detail, code }, { cause });
}

/** Statuses that say: the same request may do better later. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 423, 425, 429, 500, 502, 503, 504]);

/** Failures of the transfer or of the moment, not of the file: the server may call them final, yet sending again mends them. */
const TRANSFER_CODES: ReadonlySet<string> = new Set([
  'upload_interrupted',
  'upload_too_slow',
  'body_cut_short',
  'queue_full',
  'too_many_queued_by_address',
  'too_many_records',
  'too_many_records_by_address',
]);

/** True where only the way to the server failed, or its queue was full, so that the file is worth sending again. */
export function isTransferProblem(problem: Problem): boolean {
  return TRANSFER_CODES.has(problem.code);
}

/** True where trying again may help; an outcome that the server calls final does not change. */
export function isTransient(problem: Problem): boolean {
  if (problem.code === 'connection_lost' || problem.code === 'offset_conflict' || isTransferProblem(problem))
    return true;
  return problem.final !== true && TRANSIENT_STATUSES.has(problem.status);
}

/** Any thrown value as the one kind of error that leaves the client. */
export function asUploadError(error: unknown): UploadError {
  return error instanceof UploadError ? error : clientError('unexpected_answer', error);
}

/** Why a final upload is not a completed one. */
export function errorOfOutcome({ id, state, error }: Upload): UploadError {
  if (error) return new UploadError(error);
  if (state === 'cancelled') return clientError('upload_cancelled');
  const detail = `The upload has ended as ${state}.`;
  return new UploadError({
    type: 'about:blank',
    title: 'Upload ended',
    status: 0,
    detail,
    code: `upload_${state}`,
    id,
  });
}
