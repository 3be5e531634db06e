import type { ChargeClock } from '../charged-time.ts';
import { UnprocessableError } from '../unprocessable-error.ts';

/** Calls of the library that nobody waits for any more, and that cannot be ended from outside. */
export class AbandonedCalls {
  readonly #running = new Set<Promise<unknown>>();

  /** How many still take a thread and memory. */
  get count(): number {
    return this.#running.size;
  }

  /** `call` may reject: nobody will hear of it. */
  add(call: Promise<unknown>): void {
    const settled: Promise<unknown> = Promise.allSettled([call]).finally(() => this.#running.delete(settled));
    this.#running.add(settled);
  }

  /** Resolves when none is left of those that run now, which may be never. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}

/** What bounds a step. */
export interface BoundsOptions {
  readonly signal: AbortSignal;
  /** From now on, for all that the step does. */
  readonly limitMs: number;
  readonly clock: ChargeClock;
  /** A call that ends so soon after the bound was reached is waited for: it leaves nothing behind then. */
  readonly graceMs: number;
  /** Takes what was left behind. */
  readonly abandoned: AbandonedCalls;
  /** Told to the sender where the time is up; a sentence, or more. */
  readonly tooSlow: string;
}

/**
 * Waits for calls of the library until they end, the step's time is up or the upload is cancelled. The library
 * has no way to end a call: it looks at the clock by itself, at each row or frame, and one that decodes a whole
 * picture at a stretch does not. What is waited for no more runs on until then, and its outcome is dropped.
 */
export class StepBounds {
  readonly #options: BoundsOptions;
  #endsAtMs: number;

  constructor(options: BoundsOptions) {
    this.#options = options;
    this.#endsAtMs = options.clock.nowMs() + options.limitMs;
  }

  /** Rejects with `picture_timeout`, with the signal's reason, or as the call does, which is told how many whole seconds it has. */
  async wait<Value>(begin: (maxSeconds: number) => Promise<Value>): Promise<Value> {
    const { signal, clock, abandoned, graceMs } = this.#options;
    signal.throwIfAborted();
    const leftMs = this.#endsAtMs - clock.nowMs();
    if (leftMs <= 0) throw this.#timeout();
    let isOver = false;
    const call = begin(Math.ceil((leftMs * clock.slowness) / 1000)).finally(() => (isOver = true));
    try {
      const valued = call.then((value) => ({ value }));
      // A clock that charges less than what passes has to be asked again.
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
    // Timers and the library's clock may be a little ahead of ours.
    this.#endsAtMs = -Infinity;
    return new UnprocessableError('picture_timeout', this.#options.tooSlow, { cause });
  }
}

/** Undefined when the time is up first; rejects with the signal's reason when it fires first. */
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

/** `timeout: 15% complete` is how the library words it. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('timeout: ');
}
