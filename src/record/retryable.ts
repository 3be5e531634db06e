import type { Problem } from '../wire/documents.ts';

/** Failures that may have been the machine's or the program's, and so may go well after an upgrade, a repair, or with other limits. */
const RETRYABLE_CODES: ReadonlySet<string> = new Set([
  'processing_failed',
  'picture_timeout',
  'picture_crashes_worker',
  'file_timeout',
  'file_crashes_worker',
]);

/** True for the error of a failed upload that an operator may have tried again. */
export function isRetryable({ code }: Problem): boolean {
  return RETRYABLE_CODES.has(code);
}
