import { runCallbacks, withCallback, type Callbacks } from './callbacks.ts';
import { DeferredError } from './deferred-error.ts';
import { discard } from './discard.ts';
import { errorOutcome, valueOutcome, type Outcome } from './outcome.ts';

/** Timeout options of a result. */
export interface DeferredResultOptions<T> {
  /**
   * Time in ms for which the response may be held after the handler has returned. Default: the manager's. 0 answers at
   * once, `Infinity` sets no limit. Jitter is never applied.
   */
  timeoutMs?: number;
  /** The answer when the time is up: a value, or a function that returns it or a promise of it. */
  timeoutResult?: TimeoutResult<T>;
  /**
   * Set for a result that must not become an error: if no more responses may be held, or the service stops, this is
   * called and the timeout value is answered at once. It must not throw.
   */
  notHeld?: () => void;
  /**
   * Starts the work for the result. Called once when the response is held: never for a request that is rejected, whose
   * client has gone, or that is answered at once. It must not throw.
   */
  start?: () => void;
}

/** A timeout value. A function is called at most once, at the timeout or at shutdown. Its error is the error result. */
export type TimeoutResult<T> = T | (() => T | PromiseLike<T>);

/** Turns the outcome into a response. The held response implements it, and so do tests. */
export interface ResultHandler {
  /** Receives the outcome once. */
  handleOutcome(outcome: Outcome): void;
  /** Receives the errors of `handleOutcome`. The setter never throws them. */
  handleFault(error: unknown): void;
}

/**
 * A value that a handler returns and other code sets later (Spring's `DeferredResult`). It is set only once: by a
 * setter, its timeout, a disconnect or a shutdown, whichever is first. If it is set before the handler returns it, it
 * is answered at once.
 */
export class DeferredResult<T = unknown> {
  #timeoutMs: number | undefined;
  readonly #timeoutResult: TimeoutResult<T> | undefined;
  readonly #notHeld: (() => void) | undefined;
  #start: (() => void) | undefined;
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
    this.#start = options.start;
  }

  /** Returns a deferred result that `promise` sets. A stream that arrives too late is destroyed. */
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

  /**
   * Returns true if `value` is the result now. If false, another one was first, and the caller must clean up `value`.
   */
  setResult(value: T): boolean {
    return this.#settle(valueOutcome(value));
  }

  /**
   * As `setResult`, for a failure. An `Error` counts as if the handler had thrown it. Any other value is the body of an
   * error answer, with the status of a `ResponseEntity` or else 500.
   */
  setErrorResult(error: unknown): boolean {
    return this.#settle(errorOutcome(error));
  }

  /** True once the result is set, even to `undefined` or to an error. */
  hasResult(): boolean {
    return this.#outcome !== undefined;
  }

  /** Returns the value or error; undefined before it is set. */
  getResult(): unknown {
    if (!this.#outcome) return undefined;
    return this.#outcome.kind === 'value' ? this.#outcome.value : this.#outcome.error;
  }

  /** True if setting the result has no effect any more. */
  isSetOrExpired(): boolean {
    return this.#outcome !== undefined || this.#expired;
  }

  /** If undefined, the manager's default applies. */
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

  /** Runs when the time is up or the service stops, before the timeout value is computed. It may set the result. */
  onTimeout(callback: () => unknown): this {
    this.#onTimeout = withCallback(this.#onTimeout, callback);
    return this;
  }

  /** Runs when the held response fails, for instance with `client_disconnected`. It may set the result. */
  onError(callback: (error: unknown) => unknown): this {
    this.#onError = withCallback(this.#onError, callback);
    return this;
  }

  /**
   * Runs once at the very end: the response was written or never can be. Release here everything that the wait has
   * acquired. If it is added after the end, it runs at once.
   */
  onCompletion(callback: () => unknown): this {
    if (this.#expired) callback();
    else this.#onCompletion = withCallback(this.#onCompletion, callback);
    return this;
  }

  // The following members are for the code that holds the response.

  /** The timeout value as it was given. */
  get timeoutResult(): TimeoutResult<T> | undefined {
    return this.#timeoutResult;
  }

  /** Called instead of an error if the response cannot be held; undefined if the result may become an error. */
  get notHeld(): (() => void) | undefined {
    return this.#notHeld;
  }

  /**
   * Sets the receiver of the outcome, and calls it at once if there is one. Ignored after completion. Throws
   * `invalid_state` if there is a handler already.
   */
  setResultHandler(handler: ResultHandler): void {
    if (this.#expired) return;
    if (this.#handler) throw new DeferredError('invalid_state', `The result is ${this.#stateName()} already`);
    this.#handler = handler;
    if (this.#outcome) deliver(this.#outcome, handler);
  }

  /** Starts the work when the response is held. Does nothing if it has started or the result is set. */
  start(): void {
    const start = this.#start;
    this.#start = undefined;
    if (!this.isSetOrExpired()) start?.();
  }

  /** True if there is no handler yet. A result answers only one request. */
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

  /** Ends the result: it cannot be set any more. The first call runs the callbacks of `onCompletion`. */
  complete(report: (error: unknown) => void): void {
    if (this.#expired) return;
    this.#expired = true;
    const callbacks = this.#onCompletion;
    this.#onTimeout = this.#onError = this.#onCompletion = undefined;
    // Code that keeps the result must not keep the request in memory.
    this.#handler = this.#start = undefined;
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
