import { createBackoff } from './backoff.ts';
import type { AbortableDelays } from './abortable-delays.ts';
import type { Tuning } from './tuning.ts';
import type { Problem } from '../wire/documents.ts';
import { asUploadError, isTransient } from './upload-error.ts';

/** After this many answers with status 500 the request is not repeated, because further attempts rarely succeed. */
const MAX_SERVER_ERRORS = 4;

/** The limits of the retries. */
export interface RetryOptions {
  tuning: Tuning;
  delays: AbortableDelays;
  /** A signal that ends the retries. The error of the last attempt is thrown then. */
  signal?: AbortSignal;
  /** Called before each pause between two attempts, with the reason of the pause. */
  onPause?: (problem: Problem) => void;
}

/**
 * Repeats `attempt` with growing pauses until it succeeds or a retry cannot help. Throws the error of the last attempt.
 * @param attempt receives the number of failed attempts so far.
 */
export async function retry<T>(attempt: (failures: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { tuning, delays, signal, onPause } = options;
  const backoff = createBackoff({ firstMs: tuning.firstRetryMs, longestMs: tuning.longestRetryMs });
  let firstFailureMs: number | undefined;
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt(failures);
    } catch (thrown) {
      const error = asUploadError(thrown);
      firstFailureMs ??= Date.now();
      const endsAtMs = firstFailureMs + tuning.giveUpAfterMs;
      const isPermanent = error.status === 500 && failures >= MAX_SERVER_ERRORS;
      const isTooLate = Date.now() + (error.retryAfterMs ?? 0) > endsAtMs;
      if (signal?.aborted || isPermanent || !isTransient(error.problem) || isTooLate) throw error;
      onPause?.(error.problem);
      await delays.delay(backoff.nextMs(error.retryAfterMs), signal);
    }
  }
}
