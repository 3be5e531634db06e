import type { ServerResponse } from 'node:http';
import type { Context } from 'koa';
import { requestIdOf } from './request-scope.ts';

/**
 * Browsers must not guess types, send addresses with ids to other sites, or frame and run an answer. The page sets its
 * own policy.
 */
export const COMMON_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
};
const HEADERS = Object.entries(COMMON_HEADERS);

/** The headers of every answer that nobody has set. The application around an embedded service may have its own. */
export function missingCommonHeaders(res: ServerResponse): Readonly<Record<string, string>> {
  if (res.getHeaderNames().length === 0) return COMMON_HEADERS;
  return Object.fromEntries(HEADERS.filter(([name]) => !res.hasHeader(name)));
}

/**
 * Sets the headers of every answer that the route has not set. Call it when the answer is made: headers cost memory
 * while a response is held.
 */
export function setCommonHeaders(ctx: Context): void {
  const { res } = ctx;
  if (res.headersSent) return;
  for (const [name, value] of Object.entries(missingCommonHeaders(res))) res.setHeader(name, value);
  const requestId = requestIdOf(ctx);
  if (requestId !== undefined) res.setHeader('X-Request-Id', requestId);
}
