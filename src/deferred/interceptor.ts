import type { Context } from 'koa';
import type { DeferredResult } from './deferred-result.ts';
import type { Ending, Outcome } from './outcome.ts';

/** A held response as its interceptors see it. */
export interface Held {
  /** Of the request; its status and body are made only after `postProcess`. */
  readonly ctx: Context;
  readonly result: DeferredResult;
  /** For how long it is held at most; `Infinity` for no end. */
  readonly timeoutMs: number;
  /** When the handler had returned, in whole milliseconds of the manager's monotonic clock. */
  readonly startedAtMs: number;
  /** How it ended; undefined until that is decided. */
  readonly ending: Ending | undefined;
  /** True once nothing can be written any more: the client has gone, or a write failed. */
  readonly isUnusable: boolean;
  /**
   * Ends the waiting with an error: `handleError` runs, then the error is the result unless a hook has
   * set another. False when the outcome was decided before.
   */
  fail(error: unknown): boolean;
  /**
   * For `handleTimeout`: the timeout value comes later. The chain stops here; it goes on behind this
   * interceptor when the promise takes longer than the manager allows.
   */
  awaitTimeoutValue(value: PromiseLike<unknown>): void;
}

/**
 * Sees every deferred response (Spring's `DeferredResultProcessingInterceptor`). All hooks are
 * synchronous. `held.ctx` is the request; the async context is that of whatever ended the wait.
 * A response that was resolved before it was held passes through the same hooks.
 */
export interface DeferredInterceptor {
  /** Before anything is held. What it throws is thrown to the handler's caller, and nothing is held. */
  beforeConcurrentHandling?(held: Held): void;
  /** The response is held now. What it throws becomes the result. */
  preProcess?(held: Held): void;
  /** The outcome is decided, whatever it is; called in reverse order. What it throws replaces the outcome. */
  postProcess?(held: Held, outcome: Outcome): void;
  /**
   * The time is up, or the service stops. It may set `held.result`, which ends the chain; what it throws
   * becomes the result.
   */
  handleTimeout?(held: Held): void;
  /** The response failed while held. It may set `held.result`; what it throws is reported and changes nothing. */
  handleError?(held: Held, error: unknown): void;
  /** The response was written or never can be; once, in reverse order, for those whose `preProcess` ran through. */
  afterCompletion?(held: Held): void;
}
