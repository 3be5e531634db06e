import type { Context } from 'koa';
import type { Deadlines, Expirable } from './deadlines.ts';
import { DeferredError } from './deferred-error.ts';
import type { DeferredResult, ResultHandler } from './deferred-result.ts';
import { discard } from './discard.ts';
import { AS_IT_STANDS } from './dispatch.ts';
import { Expiry, type ExpiryCause } from './expiry.ts';
import type { InterceptorChain, ReportFault } from './interceptor-chain.ts';
import type { Held } from './interceptor.ts';
import { errorOutcome, valueOutcome, type Ending, type Outcome } from './outcome.ts';
import { isClosed, isConnectionLost, isCutOff, listenClose, unlistenClose } from './response-close.ts';

/** The members of the manager that a held response uses. */
export interface Holder {
  /** The waiting responses. A response in it is held. */
  readonly deadlines: Deadlines<HeldResponse>;
  readonly reportFault: ReportFault;
  /** Longest time for a promised timeout value; shorter at shutdown. */
  readonly timeoutValueLimitMs: number;
  /** Called when the outcome is decided, so the response is no longer held. */
  settled(held: HeldResponse): void;
  /** Called when the response has ended. No call follows. */
  completed(held: HeldResponse): void;
}

/**
 * Turns an outcome into a response, or throws. All responses share one function. The middleware's promise resolves with
 * its result.
 */
export type Answerer = (held: HeldResponse, outcome: Outcome) => unknown;

/** Settles the promise of the middleware. */
export interface Settler {
  resolve(this: void, value: unknown): void;
  reject(this: void, error: unknown): void;
}

/** The decisions of the manager about one response. */
export interface HeldResponseOptions {
  timeoutMs: number;
  startedAtMs: number;
  /** The client address, which the manager counts. */
  address: string | undefined;
}

/** The states of a response: `new` → `held` → (`expiring` →) `settled` → (`dispatched` →) `completed`. */
export type HeldState = 'new' | 'held' | 'expiring' | 'settled' | 'dispatched' | 'completed';

const HELD = Symbol('deferred.held');

/**
 * One response from the return of its handler to its last byte: the state machine of all kinds of deferral. The
 * deferred result can be set only once, which decides between setter, timeout, disconnect and shutdown.
 */
export class HeldResponse implements Held, ResultHandler, Expirable {
  readonly ctx: Context;
  readonly result: DeferredResult;
  readonly timeoutMs: number;
  readonly startedAtMs: number;
  readonly address: string | undefined;
  deadlineBucket: number | undefined;
  ending: Ending | undefined;
  readonly #holder: Holder;
  readonly #chain: InterceptorChain;
  #state: HeldState = 'new';
  #answerer: Answerer | undefined;
  // These are two fields instead of an object, because there are thousands of instances.
  #resolve: Settler['resolve'] | undefined;
  #reject: Settler['reject'] | undefined;
  #closeListener: (() => void) | undefined;
  /** Number of interceptors whose `preProcess` has run. */
  #entered = 0;
  /** The error that a `preProcess` has thrown. It replaces any outcome. */
  #override: Outcome | undefined;
  /** The event that is ending the wait. If an outcome is set meanwhile, this is its `ending`. */
  #cutBy: Ending | undefined;
  #expiry: Expiry | undefined;

  constructor(
    holder: Holder,
    chain: InterceptorChain,
    ctx: Context,
    result: DeferredResult,
    options: HeldResponseOptions,
  ) {
    this.#holder = holder;
    this.#chain = chain;
    this.ctx = ctx;
    this.result = result;
    this.timeoutMs = options.timeoutMs;
    this.startedAtMs = options.startedAtMs;
    this.address = options.address;
    this.deadlineBucket = undefined;
    this.ending = undefined;
  }

  get state(): HeldState {
    return this.#state;
  }

  get isUnusable(): boolean {
    return isCutOff(this.ctx);
  }

  /** True if a shutdown has ended the wait, with any answer. */
  get wasShutDown(): boolean {
    return this.#expiry?.cause === 'shutdown';
  }

  /**
   * Holds the response until its outcome is decided, then answers it and settles the given promise. If the client has
   * gone (`isUnusable`), there is an outcome but no answer.
   */
  hold(answerer: Answerer, { resolve, reject }: Settler): void {
    this.#answerer = answerer;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#begin();
  }

  /** Call it if the outcome is another handler, which runs now and may defer again. */
  dispatched(): void {
    if (this.#state === 'settled') this.#state = 'dispatched';
  }

  /** Call it if that handler failed. Its error is the answer, and the callbacks of `onError` get it too. */
  dispatchFailed(error: unknown): void {
    if (this.#state !== 'dispatched') return;
    this.result.runErrorCallbacks(error, (fault) => {
      this.#holder.reportFault(fault, 'onError');
    });
  }

  /** Ends the wait because the time is up. The deadlines call it. */
  expire(): void {
    this.#expire(this.#expiry?.cause ?? 'timeout');
  }

  /** Answers with the timeout value now, unless there is an answer. Returns false if the response has ended already. */
  shutDown(): boolean {
    if (this.#state === 'completed') return false;
    if (this.#expiry?.isAwaitingValue) {
      this.#expiry.cause = 'shutdown';
      this.#holder.deadlines.add(this, this.#holder.timeoutValueLimitMs);
    } else {
      this.#holder.deadlines.remove(this);
      this.#expire('shutdown');
    }
    return true;
  }

  fail(error: unknown): boolean {
    if (this.result.isSetOrExpired()) return false;
    this.#fail(error, 'error');
    return true;
  }

  awaitTimeoutValue(value: PromiseLike<unknown>): void {
    this.#expiry?.awaitValue(value, (outcome) => {
      this.#setTimeoutOutcome(outcome);
    });
  }

  handleOutcome(outcome: Outcome): void {
    this.#settle(outcome);
  }

  handleFault(error: unknown): void {
    this.#holder.reportFault(error, 'handleOutcome');
    this.#reject?.(error);
  }

  #begin(): void {
    this.#state = 'held';
    this.ctx[HELD] = this;
    this.#closeListener = () => {
      this.#closeIfDisconnected();
    };
    listenClose(this.ctx, this.#closeListener);
    if (this.timeoutMs > 0 && !this.result.isSetOrExpired()) this.#holder.deadlines.add(this, this.timeoutMs);
    const failure = this.#chain.applyPreProcess(this);
    this.#entered = failure ? failure.entered : this.#chain.length;
    if (failure && !this.result.setErrorResult(failure.error)) this.#override = errorOutcome(failure.error);
    this.result.setResultHandler(this);
    if (this.isUnusable) this.#close();
    else if (this.timeoutMs === 0) this.#expire('timeout');
    else this.result.start();
  }

  #expire(cause: ExpiryCause): void {
    const expiry = (this.#expiry ??= new Expiry(cause));
    expiry.cause = cause;
    if (this.result.isSetOrExpired()) return;
    this.#state = 'expiring';
    this.#cutBy = cause;
    expiry.run(this.#chain, this);
    this.#cutBy = undefined;
    if (!this.result.isSetOrExpired()) this.#holder.deadlines.add(this, this.#holder.timeoutValueLimitMs);
  }

  #setTimeoutOutcome(outcome: Outcome): void {
    this.#cutBy = this.#expiry?.cause;
    const isWinner =
      outcome.kind === 'value' ? this.result.setResult(outcome.value) : this.result.setErrorResult(outcome.error);
    this.#cutBy = undefined;
    if (isWinner) return;
    if (outcome.kind === 'value') discard(outcome.value);
    else this.#holder.reportFault(outcome.error, 'timeoutResult');
  }

  #fail(error: unknown, cutBy: Ending): void {
    this.#cutBy = cutBy;
    this.#chain.triggerError(this, error);
    this.result.setErrorResult(error);
  }

  #settle(outcome: Outcome): void {
    this.#state = 'settled';
    this.ending = this.#cutBy ?? outcome.kind;
    this.#holder.deadlines.remove(this);
    const answer = this.#chain.applyPostProcess(this, this.#override ?? outcome, this.#entered);
    this.#holder.settled(this);
    if (outcome.kind === 'value' && answer !== outcome) discard(outcome.value);
    this.#answer(answer);
  }

  #answer(outcome: Outcome): void {
    try {
      this.#resolve?.(this.#answerer?.(this, outcome));
    } catch (error) {
      this.#reject?.(error);
    }
  }

  #closeIfDisconnected(): void {
    if (isClosed(this.ctx)) this.#close();
  }

  /** Called when the response was written completely or cut off. */
  #close(): void {
    if (this.#state === 'completed') return;
    if (!this.result.isSetOrExpired()) this.#cutShort();
    this.#state = 'completed';
    if (this.#closeListener) unlistenClose(this.ctx, this.#closeListener);
    this.#closeListener = undefined;
    this.#chain.triggerAfterCompletion(this, this.#entered);
    this.#holder.completed(this);
  }

  #cutShort(): void {
    const { res } = this.ctx;
    if (res.writableFinished) {
      // Other code has written to the bare response, so there is no result to wait for.
      this.#settle(valueOutcome(AS_IT_STANDS));
    } else if (res.errored && !isConnectionLost(this.ctx)) {
      this.#fail(res.errored, 'error');
    } else {
      this.#fail(new DeferredError('client_disconnected', 'The client went away'), 'disconnect');
    }
  }
}

/** Returns the latest held response of this request; undefined if there is none. */
export function heldOf(ctx: Context): HeldResponse | undefined {
  const held: unknown = ctx[HELD];
  return held instanceof HeldResponse ? held : undefined;
}

/** Throws `invalid_state` if the response of `ctx` is held or has ended. */
export function assertDeferrable(ctx: Context): void {
  const held = heldOf(ctx);
  const state = ctx.res.writableEnded ? 'completed' : held?.state;
  if (state === undefined || state === 'dispatched') return;
  throw new DeferredError('invalid_state', `The response cannot be deferred: it is ${state}`);
}
