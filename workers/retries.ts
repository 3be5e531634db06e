import type { PermitData } from '../src/queue/contract.ts';
import type { UploadQueue } from '../src/queue/upload-queue.ts';
import type { Logger } from '../src/telemetry/log.ts';

/** The first pause after a fault of the service. It doubles with each fault: 1, 2, 4 … seconds. */
const FIRST_PAUSE_MS = 1_000;

interface RetryParts {
  queue: Pick<UploadQueue, 'add'>;
  log: Logger;
}

/** Returns the pause in ms after the given number of faults of an upload. Jitter of half spreads the retries. */
export function retryPauseMs(faults: number): number {
  return FIRST_PAUSE_MS * 2 ** (faults - 1) * (0.5 + Math.random());
}

/**
 * Adds permits for paused uploads when their pauses are over. Timers do not depend on the clock of the machine. If this
 * process ends first, the janitor adds the permits, by the clock of Redis.
 */
export class Retries {
  readonly #parts: RetryParts;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(parts: RetryParts) {
    this.#parts = parts;
  }

  /** Adds a permit after the pause. */
  later(kind: string, data: PermitData, pauseMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#parts.queue
        .add(kind, data)
        .catch((error: unknown) => this.#parts.log.warn({ err: error }, 'permit not added, the janitor will add it'));
    }, pauseMs);
    this.#timers.add(timer);
  }

  /** Stops all timers. The janitor adds the missing permits. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
