import type { Context, Middleware } from 'koa';

const UNFIT = Symbol('deferred.unfit');

/**
 * `middleware`, declared unable to take part in deferred handling (as a servlet filter without
 * `asyncSupported`): below it no response can be deferred, and one that tries fails with
 * `deferral_unsupported` and the `reason`.
 */
export function unfitForDeferral(middleware: Middleware, reason: string): Middleware {
  return (ctx, next) => {
    forbidDeferral(ctx, reason);
    return middleware(ctx, next);
  };
}

/** Makes deferral fail for this one request from now on. */
export function forbidDeferral(ctx: Context, reason: string): void {
  ctx.request.ctx[UNFIT] = reason;
}

/** Why this request cannot be deferred; undefined where it can. */
export function unfitReason(ctx: Context): string | undefined {
  const reason: unknown = ctx[UNFIT];
  return typeof reason === 'string' ? reason : undefined;
}
