import type { Middleware } from 'koa';

/** Serves these addresses also with a slash at their end, as some clients write them. Runs before the router. */
export function withoutTrailingSlash(paths: readonly string[]): Middleware {
  return (ctx, next) => {
    const path = paths.find((known) => ctx.path === `${known}/`);
    if (path !== undefined) ctx.path = path;
    return next();
  };
}
