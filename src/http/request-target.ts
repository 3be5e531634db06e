import type { Context, Middleware } from 'koa';
import { ServiceError } from '../errors.ts';

/** The path of a request, empty where its target is none that can be parsed: Koa's own getter throws then, or gives null. */
export function requestPath(ctx: Context): string {
  try {
    const path: unknown = ctx.path;
    return typeof path === 'string' ? path : '';
  } catch {
    return '';
  }
}

/**
 * Refuses with `bad_request` (400) targets that cannot be parsed, before anybody below asks for a part of one, and
 * requests that do not name exactly one host, as RFC 9112 section 3.2 wants it.
 */
export function parsableTargets(): Middleware {
  return (ctx, next) => {
    if (requestPath(ctx) === '')
      throw new ServiceError('bad_request', 'The address of this request cannot be understood.');
    const hosts = countHosts(ctx.req.rawHeaders);
    if (hosts > 1 || (hosts === 0 && ctx.req.httpVersion !== '1.0')) {
      throw new ServiceError('bad_request', `A request has exactly one Host header; this one has ${hosts}.`);
    }
    return next();
  };
}

/** Of the names and values in a row. Node keeps the first Host alone, while a proxy in front may have gone by the last. */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}
