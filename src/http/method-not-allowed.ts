import type { Context, Middleware } from 'koa';
import { ServiceError } from '../errors.ts';

/**
 * Runs after the router. Answers 405 with `Allow` (RFC 9110 section 15.5.6) if the address exists but not the method,
 * and `OPTIONS` with the list of methods.
 */
export function methodNotAllowed(): Middleware {
  return async (ctx, next) => {
    const allow = allowedMethods(ctx);
    if (allow === undefined) return await next();
    if (ctx.method !== 'OPTIONS') throw unsupportedMethod(ctx, ctx.method);
    ctx.set('Allow', allow);
    ctx.status = 204;
  };
}

/** Returns `method_not_allowed` (405) with the methods of the address. */
export function unsupportedMethod(ctx: Context, method: string): ServiceError {
  const allow = allowedMethods(ctx) ?? 'OPTIONS';
  return new ServiceError('method_not_allowed', `This address does not support ${method}. Use ${allow}.`, {
    headers: { Allow: allow },
  });
}

/**
 * Returns the value of `Allow`: the methods of every route with a matching path. Undefined if there is none. The router
 * must have run, because it stores these routes in `ctx.matched`.
 */
export function allowedMethods(ctx: Context): string | undefined {
  const matched: unknown = ctx['matched'];
  if (!Array.isArray(matched)) return undefined;
  const layers: { methods?: string[] }[] = matched;
  const methods = new Set(layers.flatMap((layer) => layer.methods ?? []));
  if (methods.size === 0) return undefined;
  methods.delete('OPTIONS');
  return [...[...methods].sort(), 'OPTIONS'].join(', ');
}
