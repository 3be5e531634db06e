import type { Context } from 'koa';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RequestEnd } from './request-end.ts';

/** The pattern that a request matched, such as `/uploads/:id`: labels must be few, and ids are many and secret. */
export function routeOf(ctx: Context): string {
  const matched: unknown = ctx['_matchedRoute'];
  return typeof matched === 'string' ? matched : 'none';
}

/** Counts requests when their last byte is out or their client is gone. */
export function requestMetrics(metrics: Metrics): RequestEnd {
  return (ctx) => metrics.requestEnded(ctx.method, routeOf(ctx), ctx.res.statusCode);
}
