const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A second signal within this time is the same Ctrl-C, because the terminal and npm both pass it on. */
const DOUBLED_WITHIN_MS = 1000;

/** The part of a supervisor that signals control. */
interface Stoppable {
  stop(): Promise<void>;
  kill(): void;
}

/**
 * The first signal stops `target` in order. A signal more than a second later kills it. The returned function removes
 * the signal handlers.
 * @param ignoresHangup true if SIGHUP asks to read a file again, as for other servers. The children read it whenever it
 * changes. At a terminal pass false: the signal then means that the terminal was closed.
 */
export function stopOnSignals(target: Stoppable, ignoresHangup = false): () => void {
  let firstAt: number | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    if (ignoresHangup && name === 'SIGHUP') return;
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
