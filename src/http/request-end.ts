import type { Context, Middleware } from 'koa';
import { currentRequestId } from './request-context.ts';

/**
 * Hears of a request when its last byte is out or its client is gone; `startedAtMs` is of `performance.now()`.
 * It runs in the context of the socket, so the request's id is handed on.
 */
export type RequestEnd = (ctx: Context, startedAtMs: number, requestId: string | undefined) => void;

/** One listener on the response for all that want to know: it is kept for as long as the response is held. */
export function onRequestEnd(...listeners: readonly RequestEnd[]): Middleware {
  return (ctx, next) => {
    const startedAtMs = performance.now();
    const requestId = currentRequestId();
    ctx.res.on('close', () => {
      for (const listener of listeners) listener(ctx, startedAtMs, requestId);
    });
    return next();
  };
}
