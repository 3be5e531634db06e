import { ServiceError, type ErrorCode } from '../errors.ts';
import { codeOf } from './file-errors.ts';
import { statusOf } from './s3-errors.ts';

/** Codes for a storage or Redis that does not work now. */
const CODES: ReadonlySet<ErrorCode> = new Set(['service_unavailable', 'storage_unavailable', 'storage_full']);

/** Disk and machine errors of a processor that reads the uploaded file, writes a temporary one or starts a process. */
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

/** Statuses of credentials that have expired while the process ran. */
const REFUSED: ReadonlySet<number | undefined> = new Set([401, 403]);

/** Maximum number of causes that are searched. The service makes no longer chain of errors. */
const MOST_CAUSES = 5;

/** True if the storage or Redis does not work now, so that the error is not a fault of the upload. */
export function isDependencyFault(error: unknown): boolean {
  let one = error;
  for (let depth = 0; depth < MOST_CAUSES && one instanceof Error; depth += 1) {
    if (one instanceof ServiceError && CODES.has(one.code)) return true;
    if (OF_A_MACHINE.has(codeOf(one)) || REFUSED.has(statusOf(one) ?? 0)) return true;
    one = one.cause;
  }
  return false;
}
