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

/** Refuses targets that cannot be parsed with `bad_request` (400), before anybody below asks for a part of one. */
export function parsableTargets(): Middleware {
  return (ctx, next) => {
    if (requestPath(ctx) === '') throw new ServiceError('bad_request', 'The address of this request cannot be understood.');
    return next();
  };
}
