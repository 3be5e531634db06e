import type { Context, Middleware } from 'koa';
import type { Metrics } from '../metrics.ts';

/** The pattern that a request matched, such as `/uploads/:id`: labels must be few, and ids are many and secret. */
export function routeOf(ctx: Context): string {
  const matched: unknown = ctx['_matchedRoute'];
  return typeof matched === 'string' ? matched : 'none';
}

/** Counts requests when their last byte is out or their client is gone. */
export function requestMetrics(metrics: Metrics): Middleware {
  return async (ctx, next) => {
    ctx.res.once('close', () => metrics.requestEnded(ctx.method, routeOf(ctx), ctx.res.statusCode));
    await next();
  };
}
