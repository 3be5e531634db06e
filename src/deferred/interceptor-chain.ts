import type { DeferredInterceptor, Held } from './interceptor.ts';
import { errorOutcome, type Outcome } from './outcome.ts';

/** Receives every error that has no response. `where` names the hook. */
export type ReportFault = (error: unknown, where: string) => void;

/** A `preProcess` that threw. */
export interface PreProcessFailure {
  /** Number of interceptors that had run before the failed one. */
  readonly entered: number;
  readonly error: unknown;
}

/** Runs the hooks of a fixed list of interceptors in order. It has no state: the response keeps its progress. */
export class InterceptorChain {
  readonly #interceptors: readonly DeferredInterceptor[];
  readonly #reportFault: ReportFault;

  constructor(interceptors: readonly DeferredInterceptor[], reportFault: ReportFault) {
    this.#interceptors = interceptors;
    this.#reportFault = reportFault;
  }

  get length(): number {
    return this.#interceptors.length;
  }

  /** Runs the hooks in order. Throws the error of the first hook that fails. */
  applyBeforeConcurrentHandling(held: Held): void {
    for (const interceptor of this.#interceptors) interceptor.beforeConcurrentHandling?.(held);
  }

  /** Runs the hooks in order. Stops at the first that throws, and returns the error. */
  applyPreProcess(held: Held): PreProcessFailure | undefined {
    for (const [index, interceptor] of this.#interceptors.entries()) {
      try {
        interceptor.preProcess?.(held);
      } catch (error) {
        return { entered: index, error };
      }
    }
    return undefined;
  }

  /**
   * Runs the hooks in reverse order, from the last of the `entered`. Returns the final outcome: a hook that throws
   * replaces it, and a replaced error is reported so that it is not lost.
   */
  applyPostProcess(held: Held, outcome: Outcome, entered: number): Outcome {
    let current = outcome;
    for (let index = entered - 1; index >= 0; index -= 1) {
      try {
        this.#interceptors[index]?.postProcess?.(held, current);
      } catch (error) {
        if (current.kind === 'error') this.#reportFault(current.error, 'postProcess');
        current = errorOutcome(error);
      }
    }
    return current;
  }

  /**
   * Runs the hooks in order, starting with `from`, until there is a result or one waits for a timeout value. Returns
   * where to continue if that value does not arrive.
   */
  triggerTimeout(held: Held, from: number, isPaused: () => boolean): number {
    for (let index = from; index < this.#interceptors.length; index += 1) {
      try {
        this.#interceptors[index]?.handleTimeout?.(held);
      } catch (error) {
        if (!held.result.setErrorResult(error)) this.#reportFault(error, 'handleTimeout');
      }
      if (held.result.isSetOrExpired() || isPaused()) return index + 1;
    }
    return this.#interceptors.length;
  }

  /** Runs all hooks in order, even if one has set a result. */
  triggerError(held: Held, error: unknown): void {
    for (const interceptor of this.#interceptors) {
      try {
        interceptor.handleError?.(held, error);
      } catch (fault) {
        this.#reportFault(fault, 'handleError');
      }
    }
  }

  /** Runs the hooks in reverse order, from the last of the `entered`. */
  triggerAfterCompletion(held: Held, entered: number): void {
    for (let index = entered - 1; index >= 0; index -= 1) {
      try {
        this.#interceptors[index]?.afterCompletion?.(held);
      } catch (error) {
        this.#reportFault(error, 'afterCompletion');
      }
    }
  }
}
