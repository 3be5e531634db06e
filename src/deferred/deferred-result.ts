import { runCallbacks, withCallback, type Callbacks } from './callbacks.ts';
import { DeferredError } from './deferred-error.ts';
import { discard } from './discard.ts';
import { errorOutcome, valueOutcome, type Outcome } from './outcome.ts';

/** How long, and what then. */
export interface DeferredResultOptions<T> {
  /**
   * How long the response may be held once the handler has returned. Default: the manager's.
   * 0 answers at once, `Infinity` waits without end. Never jittered.
   */
  timeoutMs?: number;
  /** What is answered when the time is up: a value, or a function that makes it then, maybe later. */
  timeoutResult?: TimeoutResult<T>;
  /**
   * For a result that must not become an error: if no more responses may be held, or the service stops, this is called and the
   * timeout value is answered at once. It must not throw.
   */
  notHeld?: () => void;
}

/** A function is called at most once, at the timeout or at shutdown; what it throws becomes the error result. */
export type TimeoutResult<T> = T | (() => T | PromiseLike<T>);

/** Who makes a response of the outcome: the held response, or a test. */
export interface ResultHandler {
  /** Gets the outcome, once. */
  handleOutcome(outcome: Outcome): void;
  /** Gets what `handleOutcome` threw; the setter never does. */
  handleFault(error: unknown): void;
}

/**
 * A value that a handler promises and somebody else sets later (Spring's `DeferredResult`).
 * It is set once, by whoever comes first: a setter, its timeout, the client going away, a shutdown.
 * It may be set before the handler returns it; then the answer goes out at once.
 */
export class DeferredResult<T = unknown> {
  #timeoutMs: number | undefined;
  readonly #timeoutResult: TimeoutResult<T> | undefined;
  readonly #notHeld: (() => void) | undefined;
  #outcome: Outcome<T> | undefined;
  #expired = false;
  #handler: ResultHandler | undefined;
  #onTimeout: Callbacks<[]>;
  #onError: Callbacks<[error: unknown]>;
  #onCompletion: Callbacks<[]>;

  /** Throws a `RangeError` for a `timeoutMs` that is negative or not a number. */
  constructor(options: DeferredResultOptions<T> = {}) {
    this.#timeoutMs = checkedTimeoutMs(options.timeoutMs);
    this.#timeoutResult = options.timeoutResult;
    this.#notHeld = options.notHeld;
  }

  /** A deferred result set by what `promise` settles with. A stream that comes too late is destroyed. */
  static from<T>(promise: PromiseLike<T>, options: DeferredResultOptions<T> = {}): DeferredResult<T> {
    const result = new DeferredResult<T>(options);
    promise.then(
      (value) => {
        if (!result.setResult(value)) discard(value);
      },
      (error: unknown) => result.setErrorResult(error),
    );
    return result;
  }

  /** True when `value` is now the result; false when something else was before it, and yours to clean up. */
  setResult(value: T): boolean {
    return this.#settle(valueOutcome(value));
  }

  /**
   * As `setResult`, for a failure: an `Error` is treated as though the handler had thrown it, anything
   * else is the body of an error answer (a `ResponseEntity` brings its status, else it is 500).
   */
  setErrorResult(error: unknown): boolean {
    return this.#settle(errorOutcome(error));
  }

  /** True once it is set, be it to `undefined` or to an error. */
  hasResult(): boolean {
    return this.#outcome !== undefined;
  }

  /** The value or error it was set to; undefined before. */
  getResult(): unknown {
    if (!this.#outcome) return undefined;
    return this.#outcome.kind === 'value' ? this.#outcome.value : this.#outcome.error;
  }

  /** True when setting it has no use any more. */
  isSetOrExpired(): boolean {
    return this.#outcome !== undefined || this.#expired;
  }

  /** Undefined where the manager's default holds. */
  get timeoutMs(): number | undefined {
    return this.#timeoutMs;
  }

  /** Throws `invalid_state` once the response is held. */
  set timeoutMs(timeoutMs: number | undefined) {
    if (this.#handler || this.#expired) {
      throw new DeferredError('invalid_state', `The timeout cannot change: the result is ${this.#stateName()}`);
    }
    this.#timeoutMs = checkedTimeoutMs(timeoutMs);
  }

  /** Runs when the time is up (or the service stops), before the timeout value is made; it may set the result. */
  onTimeout(callback: () => unknown): this {
    this.#onTimeout = withCallback(this.#onTimeout, callback);
    return this;
  }

  /** Runs when the response fails while held, as by `client_disconnected`; it may set the result. */
  onError(callback: (error: unknown) => unknown): this {
    this.#onError = withCallback(this.#onError, callback);
    return this;
  }

  /**
   * Runs once at the very end, however it came: the response was written or can never be. The place to
   * release what the wait has acquired. Added after the end, it runs at once.
   */
  onCompletion(callback: () => unknown): this {
    if (this.#expired) callback();
    else this.#onCompletion = withCallback(this.#onCompletion, callback);
    return this;
  }

  // What follows is for whoever holds the response.

  /** The timeout value as it was given. */
  get timeoutResult(): TimeoutResult<T> | undefined {
    return this.#timeoutResult;
  }

  /** Called in place of the error if the response cannot be held; undefined for a result that may become one. */
  get notHeld(): (() => void) | undefined {
    return this.#notHeld;
  }

  /**
   * Says who gets the outcome; gets it at once if there is one. Ignored after completion.
   * Throws `invalid_state` when another handler came before.
   */
  setResultHandler(handler: ResultHandler): void {
    if (this.#expired) return;
    if (this.#handler) throw new DeferredError('invalid_state', `The result is ${this.#stateName()} already`);
    this.#handler = handler;
    if (this.#outcome) deliver(this.#outcome, handler);
  }

  /** True while no handler was set: a result answers one request only. */
  isFree(): boolean {
    return this.#handler === undefined && !this.#expired;
  }

  /** Runs the callbacks of `onTimeout`. */
  runTimeoutCallbacks(report: (error: unknown) => void): void {
    runCallbacks(this.#onTimeout, report);
  }

  /** Runs the callbacks of `onError`. */
  runErrorCallbacks(error: unknown, report: (error: unknown) => void): void {
    runCallbacks(this.#onError, report, error);
  }

  /** Ends it: nothing can be set any more. Runs the callbacks of `onCompletion`, the first time alone. */
  complete(report: (error: unknown) => void): void {
    if (this.#expired) return;
    this.#expired = true;
    const callbacks = this.#onCompletion;
    this.#onTimeout = this.#onError = this.#onCompletion = undefined;
    // Whoever keeps the result must not keep the request with it.
    this.#handler = undefined;
    runCallbacks(callbacks, report);
  }

  #settle(outcome: Outcome<T>): boolean {
    if (this.isSetOrExpired()) return false;
    this.#outcome = outcome;
    if (this.#handler) deliver(outcome, this.#handler);
    return true;
  }

  #stateName(): string {
    if (this.#expired) return 'completed';
    if (this.#outcome) return 'set';
    return this.#handler ? 'held' : 'new';
  }
}

function deliver(outcome: Outcome, handler: ResultHandler): void {
  try {
    handler.handleOutcome(outcome);
  } catch (error) {
    handler.handleFault(error);
  }
}

function checkedTimeoutMs(timeoutMs: number | undefined): number | undefined {
  if (timeoutMs === undefined || timeoutMs >= 0) return timeoutMs;
  throw new RangeError(`timeoutMs must be 0 or more, not ${timeoutMs}`);
}
