import type { Context, Middleware } from 'koa';
import { DeferredError } from './deferred-error.ts';

/** The result that sends the current content of `ctx`. */
export const AS_IT_STANDS = Symbol('deferred.as-it-stands');

/** A result that lets another handler of the app answer. */
export class Dispatch {
  /** Has a leading slash and may have a query; undefined for the request's own path. */
  readonly path: string | undefined;
  /** The context to run with, instead of the request's own. */
  readonly wrapped: Context | undefined;

  /** Throws a `RangeError` for a path without a leading slash. */
  constructor(path?: string, wrapped?: Context) {
    if (path !== undefined && !path.startsWith('/')) throw new RangeError('A dispatch path begins with a slash');
    this.path = path;
    this.wrapped = wrapped;
  }
}

/** @koa/router stores its match in these fields. The second run must not see the first match. */
const ROUTING_FIELDS = [
  'params',
  'captures',
  'matched',
  'routerPath',
  'routerName',
  'routeMatched',
  '_matchedRoute',
  '_matchedRouteName',
  '_matchedParams',
];

/**
 * Runs the middleware below `middleware` again, with the target of `dispatch`, and resolves with the handler's return
 * value. `ctx.state` and `ctx.originalUrl` stay, and `ctx.url` is restored afterwards. Throws `deferral_unsupported`
 * unless `middleware` was given to `app.use` itself.
 */
export async function runDispatch(ctx: Context, dispatch: Dispatch, middleware: Middleware): Promise<unknown> {
  const stack = ctx.app.middleware;
  const index = stack.indexOf(middleware);
  if (index < 0) {
    throw new DeferredError('deferral_unsupported', 'Dispatch needs deferredMiddleware to be given to app.use itself');
  }
  const target = dispatch.wrapped ?? ctx;
  const ownUrl = ctx.url;
  for (const field of ROUTING_FIELDS) if (field in target) target[field] = undefined;
  if (dispatch.path !== undefined) target.url = withQueryOf(dispatch.path, ownUrl);
  try {
    return await run(stack, index + 1, target);
  } finally {
    ctx.url = ownUrl;
  }
}

async function run(stack: readonly Middleware[], index: number, ctx: Context): Promise<unknown> {
  const middleware = stack[index];
  const returned: unknown = await middleware?.(ctx, () => run(stack, index + 1, ctx));
  return returned;
}

/** Adds the query of `url` to `path`. If both have a parameter, that of `path` wins. */
function withQueryOf(path: string, url: string): string {
  const [, ownQuery = ''] = splitAtFirst(url, '?');
  const [pathname, pathQuery] = splitAtFirst(path, '?');
  if (pathQuery === undefined) return ownQuery === '' ? pathname : `${pathname}?${ownQuery}`;
  const merged = new URLSearchParams(pathQuery);
  const given = new Set(merged.keys());
  for (const [name, value] of new URLSearchParams(ownQuery)) if (!given.has(name)) merged.append(name, value);
  return `${pathname}?${merged.toString()}`;
}

function splitAtFirst(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
