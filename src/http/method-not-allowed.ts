import type { Context, Middleware } from 'koa';
import { ServiceError } from '../errors.ts';

/**
 * Runs after the router. Answers 405 with `Allow` (RFC 9110 section 15.5.6) if the address exists but not the method,
 * and `OPTIONS` with the list of methods.
 */
export function methodNotAllowed(): Middleware {
  return async (ctx, next) => {
    const methods = allowedMethods(ctx);
    if (methods.length === 0) return await next();
    const allow = [...new Set([...methods, 'OPTIONS'])].join(', ');
    if (ctx.method !== 'OPTIONS') {
      throw new ServiceError('method_not_allowed', `This address does not support ${ctx.method}. Use ${allow}.`, {
        headers: { Allow: allow },
      });
    }
    ctx.set('Allow', allow);
    ctx.status = 204;
  };
}

/** `ctx.matched` contains every route with a matching path, for any method. */
function allowedMethods(ctx: Context): string[] {
  const matched: unknown = ctx['matched'];
  if (!Array.isArray(matched)) return [];
  const layers: { methods?: string[] }[] = matched;
  return [...new Set(layers.flatMap((layer) => layer.methods ?? []))].sort();
}
