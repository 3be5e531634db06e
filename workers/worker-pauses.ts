/** The part of a BullMQ worker that this module uses. */
export interface PausableWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  pause(doNotWaitActive: boolean): Promise<void>;
  resume(): Promise<void>;
}

/**
 * Lets several parts of this process pause one worker. It takes jobs again when the last of them has resumed it. Each
 * call returns a handle for one part, which must call `pause` and `resume` in pairs.
 */
export function sharedPauses(worker: PausableWorker): () => PausableWorker {
  let paused = 0;
  return () => ({
    on: (event, listener) => worker.on(event, listener),
    off: (event, listener) => worker.off(event, listener),
    async pause(doNotWaitActive) {
      paused += 1;
      if (paused === 1) await worker.pause(doNotWaitActive);
    },
    async resume() {
      paused -= 1;
      if (paused === 0) await worker.resume();
    },
  });
}
