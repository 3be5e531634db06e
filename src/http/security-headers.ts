import type { Middleware } from 'koa';

/**
 * On every answer: bytes are what their type says, ids in addresses go to nobody, and nothing of ours is
 * framed or run. The page brings a policy of its own.
 */
const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Sets the headers above; a route may set stricter or wider ones after it. */
export function securityHeaders(): Middleware {
  return async (ctx, next) => {
    ctx.set(HEADERS);
    await next();
  };
}
