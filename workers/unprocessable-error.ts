import type { ErrorCode } from '../src/errors.ts';

/**
 * A file that no retry can fix. `detail` goes out to the sender as it stands: what is wrong with
 * the file and, where there is something, what to do about it. The cause is for the log alone.
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
