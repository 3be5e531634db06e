import type { Middleware } from 'koa';
import { parseTraceContext } from '../telemetry/trace-context.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { uploadRefIn } from '../telemetry/upload-ref.ts';
import { isQuietPath } from './access-log.ts';
import { routeOf, type RequestEnd } from './request-end.ts';
import { keepSpan, requestIdOf, spanOf } from './request-scope.ts';
import { requestPath } from './request-target.ts';

/** From this status on a span has failed. Wrong requests do not count (OpenTelemetry's conventions for servers). */
const FIRST_SERVER_ERROR = 500;

/**
 * Opens a span for each request, in the trace that its `traceparent` names. Requests of monitoring have none. Use it
 * only if there is a `Tracing`, and give `endRequestSpan` to `onRequestEnd`.
 */
export function requestSpans(tracing: Tracing): Middleware {
  return (ctx, next) => {
    const path = requestPath(ctx);
    if (isQuietPath(path)) return next();
    const { traceparent, tracestate } = ctx.req.headers;
    const span = tracing.beginRequest(ctx.method, parseTraceContext(traceparent, tracestate), {
      role: 'server',
      attributes: {
        'http.request.method': ctx.method,
        'deferred_uploads.request_id': requestIdOf(ctx),
        'deferred_uploads.upload': uploadRefIn(path),
      },
    });
    keepSpan(ctx, span);
    return span.run(next);
  };
}

/** Ends the span of a request with its route and status. */
export const endRequestSpan: RequestEnd = (ctx) => {
  const span = spanOf(ctx);
  if (!span.isOn) return;
  const route = routeOf(ctx);
  const { statusCode, writableFinished } = ctx.res;
  // The name has the route, because the path itself contains ids.
  if (route !== 'none') span.rename(`${ctx.method} ${route}`);
  span.set({
    'http.route': route === 'none' ? undefined : route,
    'http.response.status_code': statusCode,
    'deferred_uploads.client_gone': writableFinished ? undefined : true,
  });
  if (statusCode >= FIRST_SERVER_ERROR) span.fail({ code: String(statusCode) });
  span.end();
};
