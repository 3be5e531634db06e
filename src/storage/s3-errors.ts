import { ServiceError } from '../errors.ts';
import { storageFull } from './file-errors.ts';

const RETRY_AFTER_MS = 5_000;

/** Errors of the network. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** Names of temporary S3 errors, which may also have a status below 500. */
const PASSING_NAMES: ReadonlySet<string> = new Set([
  'TimeoutError',
  'RequestTimeout',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** Names that servers other than Amazon's use for a full storage. */
const FULL_NAMES: ReadonlySet<string> = new Set(['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull']);

/** These statuses do not prove that a server cannot copy ranges. */
const COPY_FAULT_STATUSES: ReadonlySet<number> = new Set([401, 403, 404]);
const COPY_FAULT_NAMES: ReadonlySet<string> = new Set(['AccessDenied', 'NoSuchKey', 'NoSuchUpload']);

/**
 * Returns `storage_full` (507) for a full storage, `service_unavailable` (503) for a temporary error, otherwise the
 * error itself.
 */
export function asServiceError(error: unknown): unknown {
  if (isFull(error)) {
    return storageFull(error);
  }
  if (!isPassing(error)) return error;
  const detail = 'The storage of the server does not respond. Retry after the time in Retry-After.';
  return new ServiceError('service_unavailable', detail, { retryAfterMs: RETRY_AFTER_MS, cause: error });
}

/** True for a temporary error: of the network, or of a server that is overloaded or faulty. */
export function isPassing(error: unknown): boolean {
  const status = statusOf(error) ?? 0;
  // 501 means that the server does not support this request.
  if (status === 429 || (status >= 500 && status !== 501)) return true;
  return PASSING_NAMES.has(nameOf(error)) || NETWORK_CODES.has(codeOf(error));
}

/** True if the object does not exist. A missing bucket does not count. */
export function isMissing(error: unknown): boolean {
  return nameOf(error) === 'NoSuchKey' || nameOf(error) === 'NotFound';
}

/** True if the object was not created because it already exists or is being created by another request. */
export function isTaken(error: unknown): boolean {
  return (
    nameOf(error) === 'PreconditionFailed' || nameOf(error) === 'ConditionalRequestConflict' || statusOf(error) === 412
  );
}

/** True if the multipart upload was already completed or aborted. */
export function isUnknownUpload(error: unknown): boolean {
  return nameOf(error) === 'NoSuchUpload';
}

/** True if the server does not support the request. */
export function isNotImplemented(error: unknown): boolean {
  return statusOf(error) === 501;
}

/**
 * True if the server does not support copies of a range. Servers answer 501, 400, 405 or another 4xx. Errors about
 * access, a missing object or upload, temporary errors and a full storage do not count.
 */
export function isUnsupportedCopy(error: unknown): boolean {
  if (isNotImplemented(error)) return true;
  const status = statusOf(error) ?? 0;
  if (status < 400 || status >= 500 || COPY_FAULT_STATUSES.has(status)) return false;
  return !COPY_FAULT_NAMES.has(nameOf(error)) && !isFull(error) && !isPassing(error);
}

/** Returns the name of an S3 error, such as `AccessDenied`. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** Returns the HTTP status of an S3 error, undefined if there was no answer. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  const hasStatus = typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata;
  return hasStatus && typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

function isFull(error: unknown): boolean {
  return statusOf(error) === 507 || FULL_NAMES.has(nameOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
