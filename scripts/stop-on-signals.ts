const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A terminal and npm both pass on one Ctrl-C. */
const DOUBLED_WITHIN_MS = 1000;

/** The part of a supervisor that signals speak to. */
export interface Stoppable {
  stop(): Promise<void>;
  kill(): void;
}

/**
 * Stops `target` in order at the first signal; a signal more than a second later kills it.
 * The returned function gives the signals back.
 */
export function stopOnSignals(target: Stoppable): () => void {
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      void target.stop();
    } else if (performance.now() - firstAt >= DOUBLED_WITHIN_MS) {
      target.kill();
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
