import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import { ServiceError } from '../errors.ts';

/**
 * Returns the path of a request, empty if its target cannot be parsed. Koa's own getter throws or returns null then.
 */
export function requestPath(ctx: Context): string {
  try {
    const path: unknown = ctx.path;
    return typeof path === 'string' ? path : '';
  } catch {
    return '';
  }
}

/**
 * Rejects with `bad_request` (400) a target that cannot be parsed, and a request without exactly one `Host` (RFC 9112
 * section 3.2). Put it above all code that reads a part of the address.
 */
export function parsableTargets(): Middleware {
  return (ctx, next) => {
    if (requestPath(ctx) === '')
      throw new ServiceError('bad_request', 'The address of this request cannot be parsed. Send a valid path.');
    const hosts = countHosts(ctx.req.rawHeaders);
    if (hosts > 1 || (hosts === 0 && ctx.req.httpVersion !== '1.0')) {
      throw new ServiceError('bad_request', `This request has ${hosts} Host headers. Send exactly one.`);
    }
    return next();
  };
}

/** The scheme and the host of a target in absolute form, such as `http://name:3000/path`; the group is the host. */
export const ABSOLUTE_TARGET = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i;

/**
 * Returns the host that a request names, with its port. A target in absolute form contains it, and `Host` is ignored
 * then (RFC 9112 section 3.2.2). Undefined if there is neither.
 */
export function hostOf({ url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>): string | undefined {
  return ABSOLUTE_TARGET.exec(url)?.[1] ?? headers.host;
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Returns true for a method that changes nothing (RFC 9110 section 9.2.1). */
export function isSafe(method: string | undefined): boolean {
  return SAFE_METHODS.has(method ?? '');
}

/** Reads the raw headers: Node keeps only the first `Host`, but a proxy in front may have used the last one. */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}
