import type { Context, Middleware } from 'koa';

const UNFIT = Symbol('deferred.unfit');

/**
 * Marks a middleware that does not support deferred responses (like a servlet filter without `asyncSupported`). Below
 * it, deferral fails with `deferral_unsupported` and the `reason`.
 */
export function unfitForDeferral(middleware: Middleware, reason: string): Middleware {
  return (ctx, next) => {
    forbidDeferral(ctx, reason);
    return middleware(ctx, next);
  };
}

/** Makes deferral fail for this request from now on. */
export function forbidDeferral(ctx: Context, reason: string): void {
  ctx.request.ctx[UNFIT] = reason;
}

/** Returns why this request cannot be deferred; undefined if it can. */
export function unfitReason(ctx: Context): string | undefined {
  const reason: unknown = ctx[UNFIT];
  return typeof reason === 'string' ? reason : undefined;
}
