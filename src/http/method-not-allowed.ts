import type { Context, Middleware } from 'koa';
import { ServiceError } from '../errors.ts';

/**
 * Stands behind the router and sees what that has passed by: an address that exists, asked with another
 * method, is a 405 with `Allow` (RFC 9110 section 15.5.6), and `OPTIONS` is answered with the list.
 */
export function methodNotAllowed(): Middleware {
  return async (ctx, next) => {
    const methods = allowedMethods(ctx);
    if (methods.length === 0) return await next();
    const allow = [...new Set([...methods, 'OPTIONS'])].join(', ');
    if (ctx.method !== 'OPTIONS') {
      throw new ServiceError('method_not_allowed', `This address takes ${allow}.`, { headers: { Allow: allow } });
    }
    ctx.set('Allow', allow);
    ctx.status = 204;
  };
}

/** `ctx.matched` holds every route whose path fits, whatever its method. */
function allowedMethods(ctx: Context): string[] {
  const matched: unknown = ctx['matched'];
  if (!Array.isArray(matched)) return [];
  const layers: { methods?: string[] }[] = matched;
  return [...new Set(layers.flatMap((layer) => layer.methods ?? []))].sort();
}
