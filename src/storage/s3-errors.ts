import { ServiceError } from '../errors.ts';
import { storageFull } from './file-errors.ts';

const RETRY_AFTER_MS = 5_000;

/** What the network does to requests. */
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

/** What S3 says, under statuses below 500 too, of states that pass. */
const PASSING_NAMES: ReadonlySet<string> = new Set([
  'TimeoutError',
  'RequestTimeout',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** What servers other than Amazon's say where they have no room. */
const FULL_NAMES: ReadonlySet<string> = new Set(['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull']);

/** `service_unavailable` (503) for what passes, `storage_full` (507) where a server has no room, anything else as it came. */
export function asServiceError(error: unknown): unknown {
  if (isFull(error)) {
    return storageFull(error);
  }
  if (!isPassing(error)) return error;
  const detail = 'The storage does not answer at the moment. Try again a little later.';
  return new ServiceError('service_unavailable', detail, { retryAfterMs: RETRY_AFTER_MS, cause: error });
}

/** True where another try later may succeed: the network, a server that is overloaded or at fault. */
export function isPassing(error: unknown): boolean {
  const status = statusOf(error) ?? 0;
  // 501 says that the server will never know this request.
  if (status === 429 || (status >= 500 && status !== 501)) return true;
  return PASSING_NAMES.has(nameOf(error)) || NETWORK_CODES.has(codeOf(error));
}

/** True where there is no such object. A bucket that is missing is no missing object. */
export function isMissing(error: unknown): boolean {
  return nameOf(error) === 'NoSuchKey' || nameOf(error) === 'NotFound';
}

/** True if an object was not created because there is one, or is being created at this moment. */
export function isTaken(error: unknown): boolean {
  return (
    nameOf(error) === 'PreconditionFailed' || nameOf(error) === 'ConditionalRequestConflict' || statusOf(error) === 412
  );
}

/** True where a multipart upload has been completed or aborted before. */
export function isUnknownUpload(error: unknown): boolean {
  return nameOf(error) === 'NoSuchUpload';
}

/** True where a server does not know a request of S3's. */
export function isNotImplemented(error: unknown): boolean {
  return statusOf(error) === 501;
}

/** S3's own word for what went wrong, such as `AccessDenied`; empty for what is no error. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** The status of the answer that an error was made from; undefined where there was no answer. */
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
