import { ServiceError, type ErrorCode } from '../errors.ts';
import { codeOf } from './file-errors.ts';
import { statusOf } from './s3-errors.ts';

/** Codes of a storage, or of a Redis, that cannot be used now. */
const CODES: ReadonlySet<ErrorCode> = new Set(['service_unavailable', 'storage_unavailable', 'storage_full']);

/** Errors of a disk that a library met while it read the uploaded file or wrote a temporary one. */
const OF_A_DISK: ReadonlySet<string> = new Set(['EIO', 'ESTALE', 'ENOSPC', 'EDQUOT']);

/** Credentials that have expired while a process runs. */
const REFUSED: ReadonlySet<number | undefined> = new Set([401, 403]);

/** An error and its causes; longer chains are not made here. */
const MOST_CAUSES = 5;

/** True for an error that says nothing about the upload at hand: the storage or Redis cannot be used now. */
export function isDependencyFault(error: unknown): boolean {
  let one = error;
  for (let depth = 0; depth < MOST_CAUSES && one instanceof Error; depth += 1) {
    if (one instanceof ServiceError && CODES.has(one.code)) return true;
    if (OF_A_DISK.has(codeOf(one)) || REFUSED.has(statusOf(one) ?? 0)) return true;
    one = one.cause;
  }
  return false;
}
