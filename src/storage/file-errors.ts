import { ServiceError } from '../errors.ts';

const RETRY_AFTER_MS = 5_000;

/** Errors of a full disk or quota. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** Errors of a disk, mount or process that cannot serve any file now. They are no fault of the file. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  'EACCES',
  'EAGAIN',
  'EBUSY',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EIO',
  'ELOOP',
  'EMFILE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENFILE',
  'ENODEV',
  'ENOMEM',
  'ENOTCONN',
  'ENOTDIR',
  'ENXIO',
  'EPERM',
  'EREMOTEIO',
  'EROFS',
  'ESTALE',
  'ETIMEDOUT',
]);

/** Errors of a missing permission for one file or folder. */
const FORBIDDEN: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

/** Returns the result of a file operation, undefined if the file or its folder does not exist. */
export async function undefinedIfMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw asServiceError(error);
  }
}

/**
 * True if the file or its folder does not exist. `ENOTDIR` does not count: no folder of the service is ever a file, so
 * this error means that the storage itself is missing.
 */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

/** True if a file of this name already exists. */
export function isTaken(error: unknown): boolean {
  return codeOf(error) === 'EEXIST';
}

/** True if this process has no permission for the file or folder. */
export function isForbidden(error: unknown): boolean {
  return FORBIDDEN.has(causeCodeOf(error));
}

/** True if only this file or folder cannot be used: no permission, or a damaged place of the disk. */
export function isOfOneFile(error: unknown): boolean {
  return isForbidden(error) || causeCodeOf(error) === 'EIO';
}

function causeCodeOf(error: unknown): string {
  return codeOf(error instanceof ServiceError ? error.cause : error);
}

/**
 * Returns `storage_full` (507) for a full disk, `storage_unavailable` (503) for a disk that cannot be used, otherwise
 * the error itself.
 */
export function asServiceError(error: unknown): unknown {
  const code = codeOf(error);
  if (FULL.has(code)) return storageFull(error);
  if (UNAVAILABLE.has(code)) return storageUnavailable(error);
  return error;
}

/** Returns `storage_full` (507). */
export function storageFull(cause?: unknown): ServiceError {
  return new ServiceError('storage_full', 'The storage of the server is full. Retry later.', { cause });
}

/** Returns `storage_unavailable` (503). */
export function storageUnavailable(cause?: unknown): ServiceError {
  return new ServiceError(
    'storage_unavailable',
    'The storage of the server cannot be used at the moment. Retry after the time in Retry-After.',
    { retryAfterMs: RETRY_AFTER_MS, cause },
  );
}

/** Errors of file systems without hard links. */
const LINKLESS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/** True if a file could not get a second name because the file system has no hard links, or no more for this file. */
export function cannotLink(error: unknown): boolean {
  return LINKLESS.has(codeOf(error));
}

/** Returns the error code of the operating system, empty for any other error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
