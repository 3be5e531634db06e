import type { Logger } from '../src/telemetry/log.ts';
import { sharedDelay } from '../src/telemetry/shared-timer.ts';

/**
 * While no permit is in use, the queues are read only once in this number of periods. A permit that is taken in between
 * keeps its lock for longer than that, so the death of its worker is noticed no later.
 */
const IDLE_PERIODS = 3;

interface StalledCheckParts<Queue> {
  /** Returns the queues of which any process has a permit in use. */
  inUse(): Promise<readonly Queue[]>;
  /** Gives the permits of dead workers back to their queue. */
  check(queue: Queue): Promise<void>;
  /** Period of the checks, in ms. */
  periodMs: number;
  log: Logger;
  /** Default: a real pause. */
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Checks queues for permits of dead workers. BullMQ's own check writes to Redis, so each one is also a write to the
 * disk. An idle installation would never rest. These checks only read while no permit is in use.
 */
export class StalledChecks<Queue> {
  readonly #parts: StalledCheckParts<Queue>;
  readonly #closing = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: StalledCheckParts<Queue>) {
    this.#parts = parts;
  }

  /** Checks at once, and then in each period until `close`. */
  start(): void {
    this.#ended = this.#run();
  }

  /** Waits for a running check. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { periodMs, pause = sharedDelay } = this.#parts;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const isIdle = await this.#checkOnce();
      await pause(isIdle ? IDLE_PERIODS * periodMs : periodMs, signal);
    }
  }

  /** Returns true if no permit is in use. */
  async #checkOnce(): Promise<boolean> {
    try {
      const queues = await this.#parts.inUse();
      for (const queue of queues) await this.#parts.check(queue);
      return queues.length === 0;
    } catch (error) {
      this.#parts.log.debug({ err: error }, 'stalled permits not checked');
      return false;
    }
  }
}
