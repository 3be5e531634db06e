import type { Context, Middleware } from 'koa';
import { DeferredError } from './deferred-error.ts';

/** As the value of a deferred result: send what the handler and its callbacks have left in `ctx`. */
export const AS_IT_STANDS = Symbol('deferred.as-it-stands');

/** As the value of a deferred result: let a handler of the same app make the answer now. */
export class Dispatch {
  /** With a leading slash, maybe with a query of its own; undefined for the request's own path. */
  readonly path: string | undefined;
  /** The context to run with in place of the request's own. */
  readonly wrapped: Context | undefined;

  /** Throws a `RangeError` for a path without leading slash. */
  constructor(path?: string, wrapped?: Context) {
    if (path !== undefined && !path.startsWith('/')) throw new RangeError('A dispatch path begins with a slash');
    this.path = path;
    this.wrapped = wrapped;
  }
}

/** Where @koa/router keeps what it matched; left there, the first match would shine through the second. */
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
 * Runs what stands below `middleware` in the app once more, under the target of `dispatch`, and resolves
 * with what the handler returned. `ctx.state` and `ctx.originalUrl` stay as they are, and `ctx.url` is
 * the old one again afterwards. Throws `deferral_unsupported` unless `middleware` was given to `app.use` itself.
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

/** `path` with the query of `url`; where both have a parameter, that of `path` holds. */
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
