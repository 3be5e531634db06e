/** All errors of the deferral: code, HTTP status, and whether the client may see the message. */
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

/** A code of the table above. Other modules must compare the code, never the message. */
export type DeferredErrorCode = keyof typeof KINDS;

/** Optional parts of an error. */
export interface DeferredErrorOptions {
  /** When the client may retry, jitter included. Sent as `Retry-After`, rounded up to whole seconds. */
  retryAfterMs?: number;
  cause?: unknown;
}

/**
 * An error of the deferral itself, not of the deferred task. Koa's default error handler reads `status`, `expose` and
 * `headers`, so it answers correctly without a handler of your own. `client_disconnected` has nginx's status 499, which
 * only logs show.
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

  /** Headers for the answer with this error. */
  get headers(): Record<string, string> {
    if (this.retryAfterMs === undefined) return {};
    return { 'Retry-After': String(Math.ceil(this.retryAfterMs / 1000)) };
  }
}
