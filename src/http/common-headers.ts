import type { Context } from 'koa';
import { requestIdOf } from './request-scope.ts';

/**
 * Browsers must not guess types, send addresses with ids to other sites, or frame and run an answer. The page sets its
 * own policy.
 */
const COMMON_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
};
const HEADERS = Object.entries(COMMON_HEADERS);

/**
 * Returns the headers of every answer, with the id of the request, but leaves out headers that are set: the application
 * around an embedded service may have its own.
 */
export function missingCommonHeaders(ctx: Context): Record<string, string> {
  const { res } = ctx;
  const missing = res.getHeaderNames().length === 0 ? HEADERS : HEADERS.filter(([name]) => !res.hasHeader(name));
  const headers = Object.fromEntries(missing);
  const requestId = requestIdOf(ctx);
  return requestId === undefined ? headers : { ...headers, 'X-Request-Id': requestId };
}

/**
 * Sets the headers of every answer that the route has not set. Call it when the answer is made: headers cost memory
 * while a response is held.
 */
export function setCommonHeaders(ctx: Context): void {
  if (ctx.res.headersSent) return;
  for (const [name, value] of Object.entries(missingCommonHeaders(ctx))) ctx.res.setHeader(name, value);
}
