/** Every way in which deferral itself fails: the code, its HTTP status, and whether a client may read the message. */
const KINDS = {
  deferred_timeout: { status: 503, expose: true },
  shutting_down: { status: 503, expose: true },
  too_many_held: { status: 503, expose: true },
  too_many_held_by_address: { status: 429, expose: true },
  executor_full: { status: 503, expose: true },
  task_discarded: { status: 503, expose: true },
  client_disconnected: { status: 499, expose: true },
  deferral_unsupported: { status: 500, expose: false },
  invalid_state: { status: 500, expose: false },
} as const satisfies Record<string, { status: number; expose: boolean }>;

/** A word of the table above. Layers above map errors by it, never by message. */
export type DeferredErrorCode = keyof typeof KINDS;

/** What an error may carry besides its code and message. */
export interface DeferredErrorOptions {
  /** When to come again, jitter included. Sent as `Retry-After`, rounded up to whole seconds. */
  retryAfterMs?: number;
  cause?: unknown;
}

/**
 * An error of the deferral itself, never of what was deferred.
 * `status`, `expose` and `headers` are what Koa's own error handler reads, so an app without a
 * handler of its own answers rightly too. `client_disconnected` carries nginx's 499, which is for
 * logs: nobody is there to read it.
 */
export class DeferredError extends Error {
  readonly code: DeferredErrorCode;
  readonly status: number;
  readonly expose: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: DeferredErrorCode, message: string, options: DeferredErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DeferredError';
    this.code = code;
    this.status = KINDS[code].status;
    this.expose = KINDS[code].expose;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Headers that belong to the answer made of this error. */
  get headers(): Record<string, string> {
    if (this.retryAfterMs === undefined) return {};
    return { 'Retry-After': String(Math.ceil(this.retryAfterMs / 1000)) };
  }
}

/** True for a `DeferredError` of that code. */
export function isDeferredError(error: unknown, code: DeferredErrorCode): error is DeferredError {
  return error instanceof DeferredError && error.code === code;
}
