import { ServiceError, type ErrorCode } from '../errors.ts';
import { codeOf } from './file-errors.ts';
import { statusOf } from './s3-errors.ts';

/** Codes of a storage, or of a Redis, that cannot be used now. */
const CODES: ReadonlySet<ErrorCode> = new Set(['service_unavailable', 'storage_unavailable', 'storage_full']);

/** Errors of a disk or a machine, met while a processor read the uploaded file, wrote a temporary one or started a process. */
const OF_A_MACHINE: ReadonlySet<string> = new Set([
  'EAGAIN',
  'EDQUOT',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENODEV',
  'ENOMEM',
  'ENOSPC',
  'ENXIO',
  'EROFS',
  'ESTALE',
]);

/** Credentials that have expired while a process runs. */
const REFUSED: ReadonlySet<number | undefined> = new Set([401, 403]);

/** An error and its causes; longer chains are not made here. */
const MOST_CAUSES = 5;

/** True for an error that says nothing about the upload at hand: the storage or Redis cannot be used now. */
export function isDependencyFault(error: unknown): boolean {
  let one = error;
  for (let depth = 0; depth < MOST_CAUSES && one instanceof Error; depth += 1) {
    if (one instanceof ServiceError && CODES.has(one.code)) return true;
    if (OF_A_MACHINE.has(codeOf(one)) || REFUSED.has(statusOf(one) ?? 0)) return true;
    one = one.cause;
  }
  return false;
}
