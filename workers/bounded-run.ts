import { STOPPING, TIMED_OUT } from './stop-reasons.ts';

/** The limits of a run. */
export interface RunBounds {
  /** The controller of the attempt. It is aborted with `TIMED_OUT` or `STOPPING`, unless it was aborted before. */
  controller: AbortController;
  timeoutMs: number;
  /** Milliseconds that a run has to stop after its time limit. */
  abortGraceMs: number;
  /** Fires when this process stops. */
  stopping: AbortSignal;
  /** Called when a run ignores the signal. It may hold a thread of this process for ever. */
  onUnresponsive: () => void;
}

/** Grace period after a cancel. Only the next job waits for it, so it covers even the longest step. */
const GRACE_AFTER_CANCEL_MS = 60_000;

/** Grace period at shutdown. The process needs the rest of its closing time to close connections. */
const GRACE_AT_STOP_MS = 1_500;

/**
 * Runs until the end, the time limit or the stop of this process. If the signal has fired before, the run does not
 * begin. If the run does not stop within its grace period, it is unresponsive and its outcome is ignored. In both cases
 * this rejects with the reason of the signal.
 */
export async function runBounded<Value>(run: () => Promise<Value>, bounds: RunBounds): Promise<Value> {
  const { controller, timeoutMs, abortGraceMs, stopping, onUnresponsive } = bounds;
  let leave = (): void => undefined;
  const left = new Promise<never>((_, reject) => {
    leave = () => {
      onUnresponsive();
      reject(controller.signal.reason as Error);
    };
  });
  const timers = [
    setTimeout(() => controller.abort(TIMED_OUT), timeoutMs),
    setTimeout(() => leave(), timeoutMs + abortGraceMs),
  ];
  const onStopping = (): void => {
    controller.abort(STOPPING);
    timers.push(setTimeout(() => leave(), GRACE_AT_STOP_MS));
  };
  const onAborted = (): void => void timers.push(setTimeout(() => leave(), GRACE_AFTER_CANCEL_MS));
  controller.signal.addEventListener('abort', onAborted, { once: true });
  stopping.addEventListener('abort', onStopping, { once: true });
  if (stopping.aborted) onStopping();
  try {
    // A run that begins now would wait for an abort that has already happened.
    controller.signal.throwIfAborted();
    return await Promise.race([run(), left]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    controller.signal.removeEventListener('abort', onAborted);
    stopping.removeEventListener('abort', onStopping);
  }
}
