import type { Context, Middleware } from 'koa';

/** Called once the last byte is sent or the client is gone. `startedAtMs` is a value of `performance.now()`. */
export type RequestEnd = (ctx: Context, startedAtMs: number) => void;

/** One listener on the response for all that want to know: it is kept for as long as the response is held. */
export function onRequestEnd(...listeners: readonly RequestEnd[]): Middleware {
  return (ctx, next) => {
    const startedAtMs = performance.now();
    ctx.res.on('close', () => {
      for (const listener of listeners) listener(ctx, startedAtMs);
    });
    return next();
  };
}
