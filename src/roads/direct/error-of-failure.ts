import { isErrorCode, ServiceError } from '../../errors.ts';
import type { UploadRecord } from '../../record/record-fields.ts';

/** Returns the error with which an upload has failed. Undefined for any other state. */
export function errorOfFailure({ id, state, error }: UploadRecord): ServiceError | undefined {
  if (state !== 'failed' || error === null || !isErrorCode(error.code)) return undefined;
  return new ServiceError(error.code, error.detail, { id, state: 'failed', status: error.status });
}
