import type { Context } from 'koa';
import { asyncListenersInterceptor } from './async-context.ts';
import { defaultTimeoutInterceptor, resultCallbacksInterceptor } from './built-in-interceptors.ts';
import { Deadlines } from './deadlines.ts';
import { DeferredError } from './deferred-error.ts';
import type { DeferredResult } from './deferred-result.ts';
import { Drain } from './drain.ts';
import { assertDeferrable, HeldResponse, type Holder } from './held-response.ts';
import { HoldBounds } from './hold-bounds.ts';
import { InterceptorChain } from './interceptor-chain.ts';
import type { DeferredInterceptor } from './interceptor.ts';
import { withDefaults, type DeferredManagerOptions } from './manager-options.ts';
import { assertFit } from './unfit-for-deferral.ts';

/** Longest time for a timeout value during a drain, which lasts one second. */
const DRAIN_TIMEOUT_VALUE_LIMIT_MS = 400;

/**
 * Holds the responses of one process (Spring's `WebAsyncManager` holds one per request). It has the interceptors, the
 * bounds, the clock, and the shutdown.
 */
export class DeferredManager {
  readonly #options: Required<DeferredManagerOptions>;
  readonly #bounds: HoldBounds;
  readonly #holder: Holder;
  readonly #interceptors = new Map<string, DeferredInterceptor>();
  #chain: InterceptorChain;
  #timeoutValueLimitMs: number;
  readonly #drain: Drain;
  #drained: Promise<void> | undefined;
  #isDraining = false;

  constructor(options: DeferredManagerOptions) {
    this.#options = withDefaults(options);
    this.#bounds = new HoldBounds(this.#options);
    this.#timeoutValueLimitMs = this.#options.timeoutValueLimitMs;
    this.#drain = new Drain(this.#options.clock);
    this.#holder = this.#makeHolder();
    this.#chain = this.#makeChain();
  }

  /** Number of held responses. A response with an outcome is no longer held, even before it is written. */
  get held(): number {
    return this.#holder.deadlines.size;
  }

  /** Number of running timers for all held responses. */
  get timers(): number {
    return this.#holder.deadlines.timers;
  }

  /** True after `drain` was called. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * Appends an interceptor. If the key exists, it replaces that interceptor in its place. Responses that are held
   * already keep their list.
   */
  register(key: string, interceptor: DeferredInterceptor): void {
    this.#interceptors.set(key, interceptor);
    this.#chain = this.#makeChain();
  }

  /**
   * Creates a held response for `result`. Call its `hold()` next, in the same tick. A result that needs no waiting (it
   * is set already, or its timeout is 0) counts for no bound and is answered during a drain too. Throws
   * `deferral_unsupported`, `invalid_state` (the result answers another request, or has ended), `too_many_held`,
   * `too_many_held_by_address` (not if the result has `notHeld`), and the error of an interceptor. In each case the
   * result is completed, so that its waiters are released.
   */
  admit(ctx: Context, result: DeferredResult): HeldResponse {
    if (!result.isFree())
      throw new DeferredError('invalid_state', 'The deferred result was used already. Create one per request.');
    try {
      return this.#admit(ctx, result);
    } catch (error) {
      this.abandon(result);
      throw error;
    }
  }

  /** Completes a result that will never be held. */
  abandon(result: DeferredResult): void {
    result.complete((error) => {
      this.#options.reportFault(error, 'onCompletion');
    });
  }

  /**
   * Answers all held responses with their timeout value. From now on, no response is held. Resolves when all are
   * written, after one second at the latest. Always returns the same promise.
   */
  drain(): Promise<void> {
    if (this.#drained) return this.#drained;
    this.#isDraining = true;
    this.#timeoutValueLimitMs = Math.min(this.#timeoutValueLimitMs, DRAIN_TIMEOUT_VALUE_LIMIT_MS);
    this.#drained = this.#drain.run(this.#holder.deadlines.entries());
    return this.#drained;
  }

  #admit(ctx: Context, result: DeferredResult): HeldResponse {
    assertFit(ctx);
    assertDeferrable(ctx);
    // During a shutdown a request is answered as after its timeout, and its client must connect again.
    if (this.#isDraining) ctx.res.shouldKeepAlive = false;
    const wantedMs = result.timeoutMs ?? this.#jittered(this.#options.defaultTimeoutMs);
    const wantsToWait = wantedMs > 0 && !result.isSetOrExpired();
    const address = wantsToWait ? this.#bounds.addressOf(ctx) : undefined;
    const isToWait = wantsToWait && this.#mayWait(result, address);
    const held = new HeldResponse(this.#holder, this.#chain, ctx, result, {
      timeoutMs: wantsToWait && !isToWait ? 0 : wantedMs,
      startedAtMs: Math.floor(this.#options.clock.now()),
      address: isToWait ? address : undefined,
    });
    this.#chain.applyBeforeConcurrentHandling(held);
    this.#bounds.enter(held.address);
    return held;
  }

  /** Returns false if it must be answered at once. Throws if a bound is reached and the result may become an error. */
  #mayWait(result: DeferredResult, address: string | undefined): boolean {
    const broken = this.#isDraining ? undefined : this.#bounds.brokenBy(this.held, address);
    if (!this.#isDraining && broken === undefined) return true;
    if (broken !== undefined && result.notHeld === undefined)
      throw new DeferredError(broken, 'Too many responses are held. Retry later.', {
        retryAfterMs: this.#retryAfterMs(),
      });
    result.notHeld?.();
    return false;
  }

  #makeHolder(): Holder {
    const { clock, reportFault } = this.#options;
    const timeoutValueLimitMs = (): number => this.#timeoutValueLimitMs;
    return {
      deadlines: new Deadlines({
        clock,
        onFault: (error) => {
          reportFault(error, 'expire');
        },
      }),
      reportFault,
      get timeoutValueLimitMs() {
        return timeoutValueLimitMs();
      },
      settled: (held) => {
        this.#bounds.leave(held.address);
      },
      completed: (held) => {
        this.#drain.completed(held);
      },
    };
  }

  #makeChain(): InterceptorChain {
    const { reportFault } = this.#options;
    const first = [resultCallbacksInterceptor(reportFault), asyncListenersInterceptor(reportFault)];
    const last = defaultTimeoutInterceptor(() => this.#timeoutError());
    return new InterceptorChain([...first, ...this.#interceptors.values(), last], reportFault);
  }

  #timeoutError(): DeferredError {
    const retryAfterMs = this.#retryAfterMs();
    return this.isDraining
      ? new DeferredError('shutting_down', 'The service is shutting down', { retryAfterMs })
      : new DeferredError('deferred_timeout', 'There was no result in time. Retry later.', { retryAfterMs });
  }

  #jittered(timeoutMs: number): number {
    return Math.round(timeoutMs * (1 - this.#options.jitterFraction * this.#options.random()));
  }

  #retryAfterMs(): number {
    return Math.round(this.#options.retryAfterMs * (1 + this.#options.random()));
  }
}
