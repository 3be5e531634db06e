/** Pauses that can be cut short all together, as when the network is back. */
export interface AbortableDelays {
  /** Resolves when the time is up, when the signal aborts, or on `wake`; never rejects. */
  delay(durationMs: number, signal?: AbortSignal): Promise<void>;
  endAll(): void;
}

/** A set of pauses with a life of its own. */
export function createAbortableDelays(): AbortableDelays {
  const sleepers = new Set<() => void>();
  return {
    delay(durationMs, signal) {
      if (signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const finish = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', finish);
          sleepers.delete(finish);
          resolve();
        };
        const timer = setTimeout(finish, durationMs);
        signal?.addEventListener('abort', finish);
        sleepers.add(finish);
      });
    },
    endAll() {
      for (const finish of sleepers) finish();
    },
  };
}
