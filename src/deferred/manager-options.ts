import type { Context } from 'koa';
import { systemClock, type Clock } from './clock.ts';
import type { ReportFault } from './interceptor-chain.ts';

/** Options for all responses of a process. */
export interface DeferredManagerOptions {
  /** The timeout of results without one of their own. Default: 25000. */
  defaultTimeoutMs?: number;
  /**
   * Share by which the default timeout is shortened at random, 0 to 1. Default: 0.05. A result's own timeout has no
   * jitter.
   */
  jitterFraction?: number;
  /** Maximum number of held responses. Default: 20000. */
  maxHeld?: number;
  /** Maximum number of held responses of one address. Default: 0, no limit. */
  maxHeldPerAddress?: number;
  /** Returns the address that a request counts for. Default: `ctx.ip`. */
  addressOf?: (ctx: Context) => string;
  /**
   * Minimum `Retry-After` of a rejection and of the default timeout error. The sent value is random, between this and
   * twice this. Default: 2000.
   */
  retryAfterMs?: number;
  /**
   * Longest time for an asynchronous timeout value before the default error is sent. Default: 5000; at most 400 at
   * shutdown.
   */
  timeoutValueLimitMs?: number;
  /** Receives every error that has no response. It must not throw. */
  reportFault: ReportFault;
  /** For tests. */
  clock?: Clock;
  /** For tests: returns 0 to 1, like `Math.random`. */
  random?: () => number;
}

/** Returns `options` with all defaults. */
export function withDefaults(options: DeferredManagerOptions): Required<DeferredManagerOptions> {
  return {
    defaultTimeoutMs: options.defaultTimeoutMs ?? 25_000,
    jitterFraction: options.jitterFraction ?? 0.05,
    maxHeld: options.maxHeld ?? 20_000,
    maxHeldPerAddress: options.maxHeldPerAddress ?? 0,
    addressOf: options.addressOf ?? ((ctx) => ctx.ip),
    retryAfterMs: options.retryAfterMs ?? 2000,
    timeoutValueLimitMs: options.timeoutValueLimitMs ?? 5000,
    reportFault: options.reportFault,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
}
