import type { Context, Middleware } from 'koa';
import { DeferredError } from './deferred-error.ts';

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

/** Throws `deferral_unsupported` if this request cannot be deferred. */
export function assertFit(ctx: Context): void {
  const reason: unknown = ctx[UNFIT];
  if (typeof reason !== 'string') return;
  throw new DeferredError('deferral_unsupported', `This request cannot be deferred: ${reason}`);
}
