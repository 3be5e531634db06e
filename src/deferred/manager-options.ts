import type { Context } from 'koa';
import { systemClock, type Clock } from './clock.ts';
import type { ReportFault } from './interceptor-chain.ts';

/** Everything that holds for all responses of a process. */
export interface DeferredManagerOptions {
  /** For results without a timeout of their own. Default 25000. */
  defaultTimeoutMs?: number;
  /**
   * By how much of itself the default timeout is shortened at random, 0 to 1. Default 0.05. A result's own
   * timeout is never touched.
   */
  jitterFraction?: number;
  /** How many responses are held at most. Default 20000. */
  maxHeld?: number;
  /** How many for one address. Default 0, no limit. */
  maxHeldPerAddress?: number;
  /** Whom a request counts for. Default `ctx.ip`. */
  addressOf?: (ctx: Context) => string;
  /**
   * Least `Retry-After` of a refusal and of the default timeout error; up to as much again is added at random.
   * Default 2000.
   */
  retryAfterMs?: number;
  /**
   * How long a timeout value may take that is made asynchronously, before the default error is sent.
   * Default 5000; 400 at most at shutdown.
   */
  timeoutValueLimitMs?: number;
  /** Told of every error that has no response to go to. It must not throw. */
  reportFault: ReportFault;
  /** For tests. */
  clock?: Clock;
  /** For tests: 0 to 1, like `Math.random`. */
  random?: () => number;
}

/** `options` with every default filled in. */
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
