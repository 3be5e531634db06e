import type { Context } from 'koa';
import { DeferredError } from './deferred-error.ts';
import { DeferredResult, type TimeoutResult } from './deferred-result.ts';
import { AS_IT_STANDS, Dispatch } from './dispatch.ts';
import { assertDeferrable } from './held-response.ts';
import type { DeferredInterceptor } from './interceptor.ts';
import type { ReportFault } from './interceptor-chain.ts';
import { assertFit } from './unfit-for-deferral.ts';

/** Options of an asynchronous cycle. */
export interface AsyncContextOptions {
  /** The context of a dispatch, instead of `ctx`. It must be derived from `ctx`, as `Object.create(ctx)` does. */
  wrapped?: Context;
  /** Like `AsyncContext.timeoutMs`. Default 30000. */
  timeoutMs?: number;
  /** The answer when the time is up and no listener has set one. It may be any value of a deferred result. */
  timeoutResult?: TimeoutResult<unknown>;
}

/**
 * Listener of an asynchronous cycle (Servlet's `AsyncListener`). If a hook throws, the error is reported and the other
 * hooks still run.
 */
export interface AsyncListener {
  /** The handler has returned, the response is held and its timeout runs. */
  onStartAsync?(context: AsyncContext): void;
  /** The time is up. The hook may complete or dispatch. */
  onTimeout?(context: AsyncContext): void;
  /** The response failed, for instance because the client has gone, or a dispatched handler threw. */
  onError?(context: AsyncContext, error: unknown): void;
  /** The response has ended, in any way. */
  onComplete?(context: AsyncContext): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const CONTEXT = Symbol('deferred.async-context');
const SUPPORTED = Symbol('deferred.async-supported');

/**
 * A request that is completed after its handler has returned (Servlet's `AsyncContext`): by `complete`, with the
 * content of `ctx`, or by `dispatch`, with the answer of another handler of the app. It is a deferred result with two
 * possible values, so bounds, interceptors, timeout, disconnect and shutdown work as for every held response.
 */
export class AsyncContext {
  /** The wrapped context, or the one of the request. */
  readonly ctx: Context;
  /** The deferred result behind it. Any other value may be set too, for instance a `ResponseEntity`. */
  readonly result: DeferredResult;
  readonly #listeners: AsyncListener[] = [];
  /** The caller's value for no limit, such as -1, which `timeoutMs` returns unchanged. */
  #noLimitMs = Infinity;

  /**
   * Starts an asynchronous cycle. Throws `invalid_state` if one is running or the response has ended, and
   * `deferral_unsupported` without a `deferredMiddleware` above or below an `unfitForDeferral` middleware. A dispatched
   * handler may start another cycle.
   */
  static start(ctx: Context, options: AsyncContextOptions = {}): AsyncContext {
    if (ctx[SUPPORTED] !== true) {
      throw new DeferredError(
        'deferral_unsupported',
        'There is no deferredMiddleware above this handler. Add it before the router.',
      );
    }
    assertFit(ctx);
    const earlier = contextOf(ctx);
    if (earlier?.result.isFree())
      throw new DeferredError('invalid_state', 'The asynchronous context is started already');
    assertDeferrable(ctx);
    const started = new AsyncContext(ctx, options);
    ownContext(ctx)[CONTEXT] = started;
    return started;
  }

  /** Returns the context that was started for this request. Throws `invalid_state` if there is none. */
  static of(ctx: Context): AsyncContext {
    const started = contextOf(ctx);
    if (!started) throw new DeferredError('invalid_state', 'The asynchronous context is not started');
    return started;
  }

  /** True while a cycle of this request is running. */
  static isStarted(ctx: Context): boolean {
    return contextOf(ctx)?.isStarted === true;
  }

  /** Use `AsyncContext.start`. */
  private constructor(ctx: Context, options: AsyncContextOptions) {
    if (options.wrapped && options.wrapped.response !== ctx.response) {
      throw new TypeError('A wrapped context has the response of the request: derive it with Object.create(ctx)');
    }
    this.ctx = options.wrapped ?? ctx;
    this.result = new DeferredResult({ timeoutResult: options.timeoutResult });
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** True from the start until it was completed, dispatched or ended otherwise. */
  get isStarted(): boolean {
    return !this.result.isSetOrExpired();
  }

  /**
   * The time in ms for which the response may be held after the handler has returned; `Infinity`, 0 or less for no
   * limit. Reads back as it was given. Default: 30000.
   */
  get timeoutMs(): number {
    const { timeoutMs = Infinity } = this.result;
    return timeoutMs === Infinity ? this.#noLimitMs : timeoutMs;
  }

  /** Throws `invalid_state` once the handler has returned. */
  set timeoutMs(timeoutMs: number) {
    this.result.timeoutMs = timeoutMs <= 0 ? Infinity : timeoutMs;
    this.#noLimitMs = timeoutMs <= 0 ? timeoutMs : Infinity;
  }

  /** Sends the content of the context now. Returns false if the request has ended already. */
  complete(): boolean {
    return this.result.setResult(AS_IT_STANDS);
  }

  /**
   * Runs the request through the app again, below `deferredMiddleware`: under its own path, or under another one with
   * its query kept. `ctx.originalUrl` and `ctx.state` stay. Returns false if the request has ended already.
   */
  dispatch(path?: string): boolean {
    return this.result.setResult(new Dispatch(path, this.ctx));
  }

  /** Adds a listener. Listeners are called in the order in which they were added. */
  addListener(listener: AsyncListener): this {
    this.#listeners.push(listener);
    if (listener.onTimeout) this.result.onTimeout(() => listener.onTimeout?.(this));
    if (listener.onError) this.result.onError((error) => listener.onError?.(this, error));
    if (listener.onComplete) this.result.onCompletion(() => listener.onComplete?.(this));
    return this;
  }

  /** Called by the interceptor below when the response is held. */
  notifyStart(report: (error: unknown) => void): void {
    for (const listener of this.#listeners) {
      try {
        listener.onStartAsync?.(this);
      } catch (error) {
        report(error);
      }
    }
  }
}

/** Allows `AsyncContext.start` for this request. Called by the middleware that holds responses. */
export function supportAsync(ctx: Context): void {
  ctx[SUPPORTED] = true;
}

/** Returns the context that was started and is not held yet; undefined if there is none. */
export function startedContext(ctx: Context): AsyncContext | undefined {
  const started = contextOf(ctx);
  return started?.result.isFree() ? started : undefined;
}

/** Notifies the listeners of an asynchronous context when it is held. */
export function asyncListenersInterceptor(reportFault: ReportFault): DeferredInterceptor {
  const report = (error: unknown): void => {
    reportFault(error, 'onStartAsync');
  };
  return {
    preProcess(held) {
      const started = contextOf(held.ctx);
      if (started?.result === held.result) started.notifyStart(report);
    },
  };
}

function contextOf(ctx: Context): AsyncContext | undefined {
  const started: unknown = ownContext(ctx)[CONTEXT];
  return started instanceof AsyncContext ? started : undefined;
}

/** Returns the request's own context, also for a wrapped one. Asynchronous contexts are stored under it. */
function ownContext(ctx: Context): Context {
  return ctx.request.ctx;
}
