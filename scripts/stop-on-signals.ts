const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The terminal and npm both pass on one Ctrl-C. */
const DOUBLED_WITHIN_MS = 1000;

/** The part of a supervisor that signals control. */
export interface Stoppable {
  stop(): Promise<void>;
  kill(): void;
}

/**
 * The first signal stops `target` in order. A signal more than a second later kills it. The returned function removes
 * the signal handlers.
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
