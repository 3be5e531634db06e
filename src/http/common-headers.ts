import type { Context } from 'koa';
import { requestIdOf } from './request-scope.ts';

/**
 * On every answer: bytes are what their type says, ids in addresses go to nobody, and nothing of ours is
 * framed or run. The page brings a policy of its own.
 */
const HEADERS = Object.entries({
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
});

/**
 * Sets what every answer bears, where a route has not said otherwise. Call it when the answer is made: a
 * response with headers weighs more, and may be held for long.
 */
export function setCommonHeaders(ctx: Context): void {
  const { res } = ctx;
  if (res.headersSent) return;
  for (const [name, value] of HEADERS) if (!res.hasHeader(name)) res.setHeader(name, value);
  const requestId = requestIdOf(ctx);
  if (requestId !== undefined) res.setHeader('X-Request-Id', requestId);
}
