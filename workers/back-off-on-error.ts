import type { PausableWorker } from './worker-pauses.ts';

/** How long a worker rests. */
const REST_MS = 1_000;

/**
 * Has a worker rest before it asks again for a job that Redis has refused to give, because its memory or disk is full or
 * it is no master now: BullMQ would ask at once, on and on. What is in hand goes on meanwhile. The returned function
 * ends this, a rest under way included; to be called before the worker is closed.
 */
export function backOffOnError(worker: PausableWorker): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onError = (error: Error): void => {
    if (error.name !== 'ReplyError' || timer !== undefined) return;
    void worker.pause(true);
    timer = setTimeout(() => {
      timer = undefined;
      void worker.resume();
    }, REST_MS);
  };
  worker.on('error', onError);
  return () => {
    clearTimeout(timer);
    worker.off('error', onError);
  };
}
