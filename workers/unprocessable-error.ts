import type { ErrorCode } from '../src/errors.ts';

/**
 * A file that no retry can fix. The sender receives `detail`: what is wrong with the file, and what to do about it.
 * Only the log contains the cause.
 */
export class UnprocessableError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, options: ErrorOptions = {}) {
    super(detail, options);
    this.name = 'UnprocessableError';
    this.code = code;
    this.detail = detail;
  }
}
