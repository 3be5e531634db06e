import { createBackoff } from './backoff.ts';
import type { AbortableDelays } from './abortable-delays.ts';
import type { Tuning } from './tuning.ts';
import { asUploadError, isTransient } from './upload-error.ts';

/** A server that fails this often on the same request will do so again. */
const MOST_SERVER_FAULTS = 4;

/** How long to go on, and what ends it. */
export interface RetryOptions {
  tuning: Tuning;
  delays: AbortableDelays;
  /** Ends the trying: the attempt's own error is thrown. */
  signal?: AbortSignal;
  /** Called before each pause. */
  onPause?: () => void;
}

/**
 * Tries until it works, with growing pauses, as long as trying again can help.
 * `attempt` is told how often it has failed before.
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
      const spentMs = Date.now() - firstFailureMs;
      const hopeless = error.status === 500 && failures >= MOST_SERVER_FAULTS;
      if (signal?.aborted || hopeless || !isTransient(error.problem) || spentMs > tuning.giveUpAfterMs) throw error;
      onPause?.();
      await delays.delay(backoff.nextMs(error.retryAfterMs), signal);
    }
  }
}
