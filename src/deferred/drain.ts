import type { Clock } from './clock.ts';
import type { HeldResponse } from './held-response.ts';

/** Longest time of a drain. */
const DRAIN_LIMIT_MS = 1000;

/** Answers all held responses at shutdown. */
export class Drain {
  readonly #clock: Clock;
  #open = 0;
  #onAllClosed: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Shuts down all given responses. Resolves when they are written, after one second at the latest. Call it once. */
  async run(all: readonly HeldResponse[]): Promise<void> {
    const allClosed = new Promise<void>((resolve) => {
      this.#onAllClosed = resolve;
    });
    for (const held of all) this.#shutDown(held);
    if (this.#open === 0) return;
    const clearTimer = this.#clock.setTimer(() => this.#onAllClosed?.(), DRAIN_LIMIT_MS);
    await allClosed;
    clearTimer();
  }

  /** Receives every response that has ended. */
  completed(held: HeldResponse): void {
    if (!held.wasShutDown) return;
    this.#open -= 1;
    if (this.#open === 0) this.#onAllClosed?.();
  }

  #shutDown(held: HeldResponse): void {
    // Makes Node send `Connection: close`, even if an error handler clears the headers.
    held.ctx.res.shouldKeepAlive = false;
    this.#open += 1;
    if (!held.shutDown()) this.#open -= 1;
  }
}
