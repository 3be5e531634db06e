/** The part of a BullMQ worker that this module uses. */
interface PausableWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  pause(doNotWaitActive: boolean): Promise<void>;
  resume(): Promise<void>;
}

/** The pause after a rejected command. */
const BACK_OFF_MS = 1_000;

/**
 * Pauses a worker for a second after Redis has rejected a command, for example because its memory or disk is full or
 * because it is a replica now. BullMQ would retry at once, without end. Running attempts continue. The returned
 * function ends this, also a pause that has begun. Call it before the worker is closed.
 */
export function backOffOnError(worker: PausableWorker): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onError = (error: Error): void => {
    if (error.name !== 'ReplyError' || timer !== undefined) return;
    void worker.pause(true);
    timer = setTimeout(() => {
      timer = undefined;
      void worker.resume();
    }, BACK_OFF_MS);
  };
  worker.on('error', onError);
  return () => {
    clearTimeout(timer);
    worker.off('error', onError);
  };
}
