import type { Problem, Upload } from '../wire/documents.ts';

/** Codes of errors that the client creates itself. */
export type ClientErrorCode =
  'connection_lost' | 'cors_blocked' | 'unexpected_answer' | 'aborted' | 'upload_cancelled' | 'ticket_unavailable';

/**
 * The reason why an upload or a request failed. `problem` is the server's problem document. If there was no answer, the
 * client creates one with `status` 0.
 */
export class UploadError extends Error {
  readonly problem: Problem;
  /** The value of `Retry-After` in milliseconds. */
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
  connection_lost: ['Connection lost', 'The server could not be reached. Check the connection and try again.'],
  cors_blocked: [
    'Blocked by the browser',
    'The server can be reached, but does not allow this page. Add the origin of the page to its CORS_ORIGINS.',
  ],
  unexpected_answer: [
    'Unexpected answer',
    'The answer did not come from an upload service. Check the base URL and proxies.',
  ],
  aborted: ['Request aborted', 'The request was aborted before its answer arrived.'],
  upload_cancelled: ['Upload cancelled', 'The upload was cancelled.'],
  ticket_unavailable: [
    'No ticket',
    'The application gave no permission for the upload. Sign in again, then try again.',
  ],
};

/** Creates an error of the client itself. */
export function clientError(code: ClientErrorCode, cause?: unknown): UploadError {
  const [title, detail] = CLIENT_ERRORS[code];
  return new UploadError({ type: 'about:blank', title, status: 0, detail, code }, { cause });
}

/** Creates the error of a request without a complete answer. Node says why in the cause of its error. */
export function connectionLost(error: unknown): UploadError {
  const { problem } = clientError('connection_lost');
  const reason = systemCodeOf(error);
  const detail = reason === undefined ? problem.detail : problem.detail.replace('.', ` (${reason}).`);
  return new UploadError({ ...problem, detail }, { cause: error });
}

function systemCodeOf(error: unknown): string | undefined {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (typeof cause !== 'object' || cause === null || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

/** With these statuses the same request may succeed later. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 423, 425, 429, 500, 502, 503, 504]);

/**
 * With these codes the same request may succeed later, too. A proxy without CORS headers may answer in place of the
 * server until it is back.
 */
const TRANSIENT_CODES: ReadonlySet<string> = new Set(['connection_lost', 'cors_blocked', 'offset_conflict']);

/**
 * Failures of the transfer, not of the file. Even if the server calls them final, sending the file again can succeed.
 */
const TRANSFER_CODES: ReadonlySet<string> = new Set([
  'upload_interrupted',
  'upload_too_slow',
  'body_cut_short',
  'queue_full',
  'too_many_queued_by_address',
  'too_many_records',
  'too_many_records_by_address',
  'quota_exceeded',
]);

/** True if only the transfer failed or the queue was full, so that sending the file again can succeed. */
export function isTransferProblem(problem: Problem): boolean {
  return TRANSFER_CODES.has(problem.code);
}

/** True if the server has no upload with this id any more, or never had one. */
export function isDeleted(problem: Problem): boolean {
  return problem.code === 'unknown_upload' || problem.code === 'upload_gone';
}

/** With these codes the outcome on the server is unknown. */
const UNDECIDED_CODES: ReadonlySet<string> = new Set([
  'aborted',
  'connection_lost',
  'cors_blocked',
  'unexpected_answer',
  'service_unavailable',
  'storage_unavailable',
]);

/** True if the outcome on the server is unknown, so that a retry continues under the same id. */
export function isUndecided(problem: Problem): boolean {
  return UNDECIDED_CODES.has(problem.code);
}

/** True if the same request may succeed later. False for an outcome that the server calls final. */
export function isTransient(problem: Problem): boolean {
  if (TRANSIENT_CODES.has(problem.code) || isTransferProblem(problem)) return true;
  return problem.final !== true && TRANSIENT_STATUSES.has(problem.status);
}

/** Converts any thrown value into an UploadError. */
export function asUploadError(error: unknown): UploadError {
  return error instanceof UploadError ? error : clientError('unexpected_answer', error);
}

/** Returns the reason why a final upload is not completed. */
export function errorOfOutcome({ id, state, error }: Upload): UploadError {
  if (error) return new UploadError(error);
  if (state === 'cancelled') return clientError('upload_cancelled');
  const detail = `The upload ended with the state ${state}.`;
  return new UploadError({
    type: 'about:blank',
    title: 'Upload ended',
    status: 0,
    detail,
    code: `upload_${state}`,
    id,
  });
}
