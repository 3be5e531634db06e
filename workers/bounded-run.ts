import { STOPPING, TIMED_OUT } from './stop-reasons.ts';

/** What bounds a run. */
export interface RunBounds {
  /** Of the attempt; aborted here with `TIMED_OUT` or `STOPPING`, unless it was for another reason before. */
  controller: AbortController;
  timeoutMs: number;
  /** Milliseconds that a run has to stop after its time limit. */
  abortGraceMs: number;
  /** Fires when this process stops. */
  stopping: AbortSignal;
  /** Called when a run ignores the signal. It may hold a thread of this process for ever. */
  onUnresponsive: () => void;
}

/** What was cancelled keeps nobody waiting but the next job: long enough for the longest step. */
const GRACE_AFTER_CANCEL_MS = 60_000;

/** Less than what the process has for closing, after the grace for work in hand. */
const GRACE_AT_STOP_MS = 1_500;

/**
 * Runs until the end, the time limit or the stop of this process. Rejects with the signal's reason where that has come before
 * the run, which is not begun then, and where the run does not stop in time; it is left behind then, deaf, and what it comes to is of no interest any more.
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
    // A run would wait in vain for what has happened before it.
    controller.signal.throwIfAborted();
    return await Promise.race([run(), left]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    controller.signal.removeEventListener('abort', onAborted);
    stopping.removeEventListener('abort', onStopping);
  }
}
