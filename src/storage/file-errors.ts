import { ServiceError } from '../errors.ts';

const RETRY_AFTER_MS = 5_000;

/** Errors of a full disk or quota. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** Errors of a disk, mount or process that cannot serve any file now: they say nothing about the file itself. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  'EACCES',
  'EAGAIN',
  'EBUSY',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENODEV',
  'ENOMEM',
  'ENOTCONN',
  'ENOTDIR',
  'ENXIO',
  'EPERM',
  'EROFS',
  'ESTALE',
  'ETIMEDOUT',
]);

/** The result of a file operation, undefined if the file or its folder does not exist. */
export async function orUndefinedWhereMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw asServiceError(error);
  }
}

/**
 * True if the file or its folder does not exist. `ENOTDIR` is not among it: none of our folders is ever a file, so it means
 * that the storage itself is away.
 */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

/** True if a file of that name exists already. */
export function isTaken(error: unknown): boolean {
  return codeOf(error) === 'EEXIST';
}

/** True if this process may not use the file or folder. */
export function isForbidden(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  const code = codeOf(cause);
  return code === 'EACCES' || code === 'EPERM';
}

/** A full disk as `storage_full` (507), one that cannot be used as `storage_unavailable` (503); any other error as it is. */
export function asServiceError(error: unknown): unknown {
  const code = codeOf(error);
  if (FULL.has(code)) return storageFull(error);
  if (UNAVAILABLE.has(code)) return storageUnavailable(error);
  return error;
}

/** `storage_full` (507). */
export function storageFull(cause?: unknown): ServiceError {
  return new ServiceError('storage_full', 'The server has no room for this file at the moment. Try again later.', {
    cause,
  });
}

/** `storage_unavailable` (503). */
export function storageUnavailable(cause?: unknown): ServiceError {
  return new ServiceError(
    'storage_unavailable',
    'The storage cannot be used at the moment. Try again a little later.',
    { retryAfterMs: RETRY_AFTER_MS, cause },
  );
}

/** The error code of the operating system; empty for any other error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
