/** Delays that can all be ended at once, for example when the network is back. */
export interface AbortableDelays {
  /** Resolves when the time is up, the signal aborts, or `endAll` is called. Never rejects. */
  delay(durationMs: number, signal?: AbortSignal): Promise<void>;
  endAll(): void;
}

/** Creates an independent set of delays. */
export function createAbortableDelays(): AbortableDelays {
  const pending = new Set<() => void>();
  return {
    delay(durationMs, signal) {
      if (signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const finish = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', finish);
          pending.delete(finish);
          resolve();
        };
        const timer = setTimeout(finish, durationMs);
        signal?.addEventListener('abort', finish);
        pending.add(finish);
      });
    },
    endAll() {
      for (const finish of pending) finish();
    },
  };
}
