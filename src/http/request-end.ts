import type { Context, Middleware } from 'koa';
import type { Socket } from 'node:net';
import { onResponseClose } from '../compat/finish-watch.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** The bytes that a connection had received at the end of its last request. */
const counted = new WeakMap<Socket, number>();

/** Called once the last byte is sent or the client is gone. `startedAtMs` is a value of `performance.now()`. */
export type RequestEnd = (ctx: Context, startedAtMs: number) => void;

/**
 * Adds one listener to the response and calls all the given ones from it: each listener costs memory while a response
 * is held.
 */
export function onRequestEnd(...listeners: readonly RequestEnd[]): Middleware {
  return (ctx, next) => {
    const startedAtMs = performance.now();
    onResponseClose(ctx.res, () => {
      for (const listener of listeners) listener(ctx, startedAtMs);
    });
    return next();
  };
}

/**
 * Returns the pattern that a request matched, such as `/uploads/:id`. A metric needs few labels, and ids are secret.
 */
export function routeOf(ctx: Context): string {
  const matched: unknown = ctx['_matchedRoute'];
  return typeof matched === 'string' ? matched : 'none';
}

/** Counts each request when it has ended. */
export function requestMetrics(metrics: Metrics): RequestEnd {
  return (ctx, startedAtMs) =>
    metrics.requestEnded({
      method: ctx.method,
      route: routeOf(ctx),
      status: ctx.res.statusCode,
      durationMs: performance.now() - startedAtMs,
      receivedBytes: bytesReceivedBy(ctx.req),
    });
}

/**
 * Returns the bytes that the connection of a request received since the last call for it: those of the request, with
 * its headers. Call it once, at the end of each request.
 */
function bytesReceivedBy({ socket }: Pick<Context['req'], 'socket'>): number {
  const before = counted.get(socket) ?? 0;
  counted.set(socket, socket.bytesRead);
  return Math.max(0, socket.bytesRead - before);
}
