import type { InterceptorChain } from './interceptor-chain.ts';
import type { Held } from './interceptor.ts';
import { errorOutcome, valueOutcome, type Outcome } from './outcome.ts';

/** Why a response must stop waiting. */
export type ExpiryCause = 'timeout' | 'shutdown';

/**
 * The expiry of one response. If the timeout value is a promise, the hooks pause. If the promise takes too long, they
 * continue after the hook that returned it.
 */
export class Expiry {
  cause: ExpiryCause;
  #resumeAt = 0;
  #isAwaitingValue = false;

  constructor(cause: ExpiryCause) {
    this.cause = cause;
  }

  /** True while a promised timeout value may still arrive. */
  get isAwaitingValue(): boolean {
    return this.#isAwaitingValue;
  }

  /** Runs the timeout hooks, from the first one or from where they paused. */
  run(chain: InterceptorChain, held: Held): void {
    this.#isAwaitingValue = false;
    this.#resumeAt = chain.triggerTimeout(held, this.#resumeAt, () => this.#isAwaitingValue);
  }

  /** Pauses the hooks for `value`, and passes it to `settle` when it arrives, even if it is late. */
  awaitValue(value: PromiseLike<unknown>, settle: (outcome: Outcome) => void): void {
    this.#isAwaitingValue = true;
    value.then(
      (timeoutValue) => {
        settle(valueOutcome(timeoutValue));
      },
      (error: unknown) => {
        settle(errorOutcome(error));
      },
    );
  }
}
