import type { ChargeClock } from '../charged-time.ts';
import { UnprocessableError } from '../unprocessable-error.ts';

/** Calls of libvips that nobody waits for any more. They cannot be aborted and run until they end. */
export class AbandonedCalls {
  readonly #running = new Set<Promise<unknown>>();

  /** The number of calls that have not ended and so use a thread and memory. */
  get count(): number {
    return this.#running.size;
  }

  /** Adds a call. A rejection of it is ignored. */
  add(call: Promise<unknown>): void {
    const settled: Promise<unknown> = Promise.allSettled([call]).finally(() => this.#running.delete(settled));
    this.#running.add(settled);
  }

  /** Resolves when all calls that run now have ended. A hung call keeps this pending for ever. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}

interface BoundsOptions {
  readonly signal: AbortSignal;
  /** Time limit for the whole step, from now on. */
  readonly limitMs: number;
  readonly clock: ChargeClock;
  /** A call that ends within this time after the limit or an abort is still awaited, so that it is not abandoned. */
  readonly graceMs: number;
  /** Receives the calls that do not end in time. */
  readonly abandoned: AbandonedCalls;
  /** The detail of the `picture_timeout` error: one or more sentences. */
  readonly tooSlow: string;
}

/**
 * Waits for calls of libvips until they end, the time limit of the step is reached or the upload is cancelled. libvips
 * cannot abort a call from outside. It checks its own time limit at each row or frame, but some decoders process a
 * whole picture without a check. A call that is no longer awaited runs until it ends, and its result is dropped.
 */
export class StepBounds {
  readonly #options: BoundsOptions;
  #endsAtMs: number;

  constructor(options: BoundsOptions) {
    this.#options = options;
    this.#endsAtMs = options.clock.nowMs() + options.limitMs;
  }

  /**
   * Runs a call, which receives its time limit in whole seconds. Rejects with `picture_timeout`, with the reason of the
   * signal, or with the error of the call.
   */
  async wait<Value>(begin: (maxSeconds: number) => Promise<Value>): Promise<Value> {
    const { signal, clock, abandoned, graceMs } = this.#options;
    signal.throwIfAborted();
    const leftMs = this.#endsAtMs - clock.nowMs();
    if (leftMs <= 0) throw this.#timeout();
    let isOver = false;
    const call = begin(Math.ceil((leftMs * clock.slowness) / 1000)).finally(() => (isOver = true));
    try {
      const valued = call.then((value) => ({ value }));
      // A clock may charge less time than has passed, so it is read again after each wait.
      for (let nextMs = leftMs; nextMs > 0; nextMs = this.#endsAtMs - clock.nowMs()) {
        const outcome = await raceTime(valued, nextMs, signal);
        if (outcome !== undefined) return outcome.value;
      }
    } catch (error) {
      throw isTimeout(error) ? this.#timeout(error) : error;
    } finally {
      if (!isOver) await raceTime(Promise.allSettled([call]), graceMs);
      if (!isOver) abandoned.add(call);
    }
    throw this.#timeout();
  }

  #timeout(cause?: unknown): UnprocessableError {
    // Timers and the clock of libvips may run slightly ahead of this clock.
    this.#endsAtMs = -Infinity;
    return new UnprocessableError('picture_timeout', this.#options.tooSlow, { cause });
  }
}

/** Returns undefined if the time is up first. Rejects with the reason of the signal if it is aborted first. */
async function raceTime<Value>(
  work: Promise<Value>,
  limitMs: number,
  signal?: AbortSignal,
): Promise<Value | undefined> {
  let release = (): void => undefined;
  const isUp = new Promise<undefined>((resolve, reject) => {
    const timer = setTimeout(resolve, limitMs, undefined);
    const onAbort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort);
    release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  });
  return await Promise.race([work, isUp]).finally(release);
}

/** Returns whether libvips has reached its time limit. It reports this as `timeout: 15% complete`. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('timeout: ');
}
