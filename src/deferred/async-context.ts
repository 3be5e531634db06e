import type { Context } from 'koa';
import { DeferredError } from './deferred-error.ts';
import { DeferredResult, type TimeoutResult } from './deferred-result.ts';
import { AS_IT_STANDS, Dispatch } from './dispatch.ts';
import { assertDeferrable } from './held-response.ts';
import type { DeferredInterceptor } from './interceptor.ts';
import type { ReportFault } from './interceptor-chain.ts';

/** How an asynchronous cycle begins. */
export interface AsyncContextOptions {
  /** What a dispatch runs with in place of `ctx`: an object made from it, as by `Object.create(ctx)`. */
  wrapped?: Context;
  /** As `AsyncContext.timeoutMs`. Default 30000. */
  timeoutMs?: number;
  /** Answered when the time is up and no listener has an answer; any value a deferred result may have. */
  timeoutResult?: TimeoutResult<unknown>;
}

/** Hears of an asynchronous cycle (Servlet's `AsyncListener`). A hook that throws is reported and stops no other. */
export interface AsyncListener {
  /** The handler has returned, the response is held and its clock runs. */
  onStartAsync?(context: AsyncContext): void;
  /** The time is up; it may complete or dispatch. */
  onTimeout?(context: AsyncContext): void;
  /** The response failed, as when the client went away. */
  onError?(context: AsyncContext, error: unknown): void;
  /** The response is over, however it ended. */
  onComplete?(context: AsyncContext): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const CONTEXT = Symbol('deferred.async-context');
const SUPPORTED = Symbol('deferred.async-supported');

/**
 * A request taken out of the handler's hands (Servlet's `AsyncContext`): the handler returns, and somebody
 * ends the request later by `complete`, with what `ctx` holds then, or by `dispatch`, with what another
 * handler of the app makes. It is a deferred result with two possible values, so bounds, interceptors,
 * timeout, disconnect and shutdown are those of every held response.
 */
export class AsyncContext {
  /** The wrapped context, or the request's own. */
  readonly ctx: Context;
  /** What lies below: any other value may be set as well, such as a `ResponseEntity`. */
  readonly result: DeferredResult;
  readonly #listeners: AsyncListener[] = [];

  /**
   * Starts an asynchronous cycle. Throws `invalid_state`, naming the state, when one is under way or the
   * response is over, and `deferral_unsupported` below no `deferredMiddleware`. A dispatched handler may start anew.
   */
  static start(ctx: Context, options: AsyncContextOptions = {}): AsyncContext {
    if (ctx[SUPPORTED] !== true) {
      throw new DeferredError('deferral_unsupported', 'There is no deferredMiddleware above this handler');
    }
    const earlier = contextOf(ctx);
    if (earlier?.result.isFree())
      throw new DeferredError('invalid_state', 'The asynchronous context is started already');
    assertDeferrable(ctx);
    const started = new AsyncContext(ctx, options);
    ownContext(ctx)[CONTEXT] = started;
    return started;
  }

  /** The context that was started for this request. Throws `invalid_state` where there is none. */
  static of(ctx: Context): AsyncContext {
    const started = contextOf(ctx);
    if (!started) throw new DeferredError('invalid_state', 'The asynchronous context is not started');
    return started;
  }

  /** True while a cycle of this request is under way. */
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

  /** True from the start until it was completed or dispatched, or ended without either. */
  get isStarted(): boolean {
    return !this.result.isSetOrExpired();
  }

  /** For how long the response may be held once the handler has returned; `Infinity` for no end. Default 30000. */
  get timeoutMs(): number {
    return this.result.timeoutMs ?? Infinity;
  }

  /** 0 or less means no end. Throws `invalid_state` once the handler has returned. */
  set timeoutMs(timeoutMs: number) {
    this.result.timeoutMs = timeoutMs <= 0 ? Infinity : timeoutMs;
  }

  /** Sends what the context holds now. False when the request had its end before. */
  complete(): boolean {
    return this.result.setResult(AS_IT_STANDS);
  }

  /**
   * Runs the request through the app again, below `deferredMiddleware`: under its own path, or under
   * another with its query kept. `ctx.originalUrl` and `ctx.state` stay. False when the request had its end before.
   */
  dispatch(path?: string): boolean {
    return this.result.setResult(new Dispatch(path, this.ctx));
  }

  /** Adds a listener; they are called in the order added. */
  addListener(listener: AsyncListener): this {
    this.#listeners.push(listener);
    if (listener.onTimeout) this.result.onTimeout(() => listener.onTimeout?.(this));
    if (listener.onError) this.result.onError((error) => listener.onError?.(this, error));
    if (listener.onComplete) this.result.onCompletion(() => listener.onComplete?.(this));
    return this;
  }

  /** For the interceptor below: the response is held now. */
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

/** Lets `AsyncContext.start` know that somebody will hold the response. */
export function supportAsync(ctx: Context): void {
  ctx[SUPPORTED] = true;
}

/** The context that was started and is not held yet; undefined where there is none. */
export function startedContext(ctx: Context): AsyncContext | undefined {
  const started = contextOf(ctx);
  return started?.result.isFree() ? started : undefined;
}

/** Tells the listeners of an asynchronous context that it is held. */
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

/** Of a wrapped context, the one that is wrapped: what a dispatched handler starts is looked for there. */
function ownContext(ctx: Context): Context {
  return ctx.request.ctx;
}
