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
import { unfitReason } from './unfit-for-deferral.ts';

/** What a timeout value may take of the second that a drain has. */
const DRAIN_TIMEOUT_VALUE_LIMIT_MS = 400;

/**
 * Holds the responses of one process (after Spring's `WebAsyncManager`, which is one per request):
 * the interceptors, the bounds, the clock, and the end of it all at shutdown.
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

  /** How many responses are held now. One whose outcome is decided, if not yet written, is held no more. */
  get held(): number {
    return this.#holder.deadlines.size;
  }

  /** Timers running for all of them. */
  get timers(): number {
    return this.#holder.deadlines.timers;
  }

  /** True from the call of `drain` on. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * Adds an interceptor behind those that are there. The same key again replaces the former in its
   * place. Responses held already keep the list they began with.
   */
  register(key: string, interceptor: DeferredInterceptor): void {
    this.#interceptors.set(key, interceptor);
    this.#chain = this.#makeChain();
  }

  /**
   * Makes a held response of `result`; call its `hold()` next, in the same tick. One that needs no
   * waiting (set already, or a timeout of 0) counts for no bound and is served during a drain too.
   * Throws `deferral_unsupported`, `invalid_state` (the result answers another request, or is over), `too_many_held`, `too_many_held_by_address` (not if
   * the result has `notHeld`), and what an interceptor throws; then the result is completed, so that whatever waits to set it is released.
   */
  admit(ctx: Context, result: DeferredResult): HeldResponse {
    if (!result.isFree()) throw new DeferredError('invalid_state', 'The deferred result was used before');
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
   * Answers everything held with its timeout value, and from now on at once what would have to wait.
   * Resolves when all of it is written, after one second at the latest. The same promise every time.
   */
  drain(): Promise<void> {
    if (this.#drained) return this.#drained;
    this.#isDraining = true;
    this.#timeoutValueLimitMs = Math.min(this.#timeoutValueLimitMs, DRAIN_TIMEOUT_VALUE_LIMIT_MS);
    this.#drained = this.#drain.run(this.#holder.deadlines.entries());
    return this.#drained;
  }

  #admit(ctx: Context, result: DeferredResult): HeldResponse {
    const reason = unfitReason(ctx);
    if (reason !== undefined)
      throw new DeferredError('deferral_unsupported', `This request cannot be deferred: ${reason}`);
    assertDeferrable(ctx);
    // Whoever asks while the process ends is answered as though the time were up, and goes elsewhere for the next.
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

  /** False if it is to be answered at once. Throws if a bound is reached and the result may become an error. */
  #mayWait(result: DeferredResult, address: string | undefined): boolean {
    const broken = this.#isDraining ? undefined : this.#bounds.brokenBy(this.held, address);
    if (!this.#isDraining && broken === undefined) return true;
    if (broken !== undefined && result.notHeld === undefined)
      throw new DeferredError(broken, 'Too many responses are held already', { retryAfterMs: this.#retryAfterMs() });
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
      : new DeferredError('deferred_timeout', 'There was no result in time', { retryAfterMs });
  }

  #jittered(timeoutMs: number): number {
    return Math.round(timeoutMs * (1 - this.#options.jitterFraction * this.#options.random()));
  }

  #retryAfterMs(): number {
    return Math.round(this.#options.retryAfterMs * (1 + this.#options.random()));
  }
}
