import type { Clock } from '../../../src/deferred/clock.ts';

interface FakeTimer {
  dueMs: number;
  callback: () => void;
}

/** A clock that advances only when the test says so. Its timers fire `earlyMs` too early. */
export class FakeClock implements Clock {
  readonly #earlyMs: number;
  readonly #timers = new Set<FakeTimer>();
  #nowMs = 1000.4;

  constructor({ earlyMs = 0 } = {}) {
    this.#earlyMs = earlyMs;
  }

  /** The number of timers that wait. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#nowMs;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer: FakeTimer = { dueMs: this.#nowMs + Math.max(delayMs - this.#earlyMs, delayMs / 2), callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Advances the clock, and fires each timer at its own time. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.dueMs <= endMs).toSorted((a, b) => a.dueMs - b.dueMs);
      const [next] = due;
      if (!next) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#timers.delete(next);
      next.callback();
    }
    this.#nowMs = endMs;
  }
}
