/** Pauses that can be cut short all together, as when the network is back. */
export interface Rests {
  /** Resolves when the time is up, when the signal aborts, or on `wake`; never rejects. */
  rest(durationMs: number, signal?: AbortSignal): Promise<void>;
  wake(): void;
}

/** A set of pauses with a life of its own. */
export function createRests(): Rests {
  const sleepers = new Set<() => void>();
  return {
    rest(durationMs, signal) {
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
    wake() {
      for (const finish of sleepers) finish();
    },
  };
}
