import type { InterceptorChain } from './interceptor-chain.ts';
import type { Held } from './interceptor.ts';
import { errorOutcome, valueOutcome, type Outcome } from './outcome.ts';

/** Why a response has to stop waiting. */
export type ExpiryCause = 'timeout' | 'shutdown';

/**
 * The running out of one response's time. It may come in two goes: where the timeout value is a promise,
 * the chain pauses, and goes on behind the one that promised it if that takes too long.
 */
export class Expiry {
  cause: ExpiryCause;
  #resumeAt = 0;
  #isAwaitingValue = false;

  constructor(cause: ExpiryCause) {
    this.cause = cause;
  }

  /** True while a promised timeout value may still come. */
  get isAwaitingValue(): boolean {
    return this.#isAwaitingValue;
  }

  /** Runs the timeout hooks, from the first, or from where they paused. */
  run(chain: InterceptorChain, held: Held): void {
    this.#isAwaitingValue = false;
    this.#resumeAt = chain.triggerTimeout(held, this.#resumeAt, () => this.#isAwaitingValue);
  }

  /** Pauses the hooks for `value`, which is given to `settle` when it comes, however late. */
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
