import type { Context } from 'koa';
import type { DeferredResult } from './deferred-result.ts';
import type { Ending, Outcome } from './outcome.ts';

/** A held response as interceptors see it. */
export interface Held {
  /** The context of the request. Its status and body are set only after `postProcess`. */
  readonly ctx: Context;
  readonly result: DeferredResult;
  /** Longest time for which it is held; `Infinity` for no limit. */
  readonly timeoutMs: number;
  /** When the handler returned, in whole milliseconds of the manager's monotonic clock. */
  readonly startedAtMs: number;
  /** How the wait ended; undefined before. */
  readonly ending: Ending | undefined;
  /** True once nothing can be written any more: the client has gone, or a write failed. */
  readonly isUnusable: boolean;
  /**
   * Ends the wait with an error: `handleError` runs, then the error is the result unless a hook has set another one.
   * Returns false if the outcome was decided already.
   */
  fail(error: unknown): boolean;
  /**
   * Call it in `handleTimeout` if the timeout value arrives later. The chain pauses. If the promise takes longer than
   * the manager allows, the chain continues after this interceptor.
   */
  awaitTimeoutValue(value: PromiseLike<unknown>): void;
}

/**
 * Observes every deferred response (Spring's `DeferredResultProcessingInterceptor`). All hooks are synchronous.
 * `held.ctx` is the request; the async context is that of the code that ended the wait. A response that was resolved
 * before it was held passes through the same hooks.
 */
export interface DeferredInterceptor {
  /**
   * Called before the response is held. If it throws, the caller of the handler receives the error, and the response is
   * not held.
   */
  beforeConcurrentHandling?(held: Held): void;
  /** The response is held. If it throws, the error becomes the result. */
  preProcess?(held: Held): void;
  /** The outcome is decided. Called in reverse order. If it throws, the error replaces the outcome. */
  postProcess?(held: Held, outcome: Outcome): void;
  /**
   * The time is up, or the service stops. It may set `held.result`, which ends the chain. If it throws, the error
   * becomes the result.
   */
  handleTimeout?(held: Held): void;
  /** The held response has failed. It may set `held.result`. If it throws, the error is only reported. */
  handleError?(held: Held, error: unknown): void;
  /**
   * The response was written or never can be. Called once, in reverse order, for interceptors whose `preProcess` has
   * run.
   */
  afterCompletion?(held: Held): void;
}
