import type Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Callers } from '../access/callers.ts';
import { clientGone } from '../http/client-gone.ts';
import { allowedMethods, unsupportedMethod } from '../http/method-not-allowed.ts';
import { openScope, withCaller, type ScopeParts } from '../http/request-scope.ts';
import { requireUploadId } from '../http/parameters.ts';
import { TUS_PATH, TUS_VERSION, type TusEndpoint, type TusMethod } from '../roads/tus/tus-endpoint.ts';
import type { Span } from '../telemetry/tracing.ts';

/** The parts that the routes of resumable uploads need. */
export interface TusRouteParts extends ScopeParts {
  callers: Pick<Callers, 'ofCreation'>;
  roadsOf: (span: Span) => { tus: Pick<TusEndpoint, 'handle'> };
}

const OF_AN_UPLOAD: readonly TusMethod[] = ['HEAD', 'PATCH', 'DELETE'];

/**
 * Sets `Tus-Resumable` on every answer below `/files`, also on errors of other middleware (tus 1.0, "Tus-Resumable").
 * Runs before all other middleware that may throw, but after `parsableTargets`, because it reads the path.
 */
export function tusVersion(): Middleware {
  return (ctx, next) => {
    // The router also ignores the case of the path.
    if (`${ctx.path}/`.toLowerCase().startsWith(`${TUS_PATH}/`)) ctx.set('Tus-Resumable', TUS_VERSION);
    return next();
  };
}

/** Adds the routes of resumable uploads (tus protocol). */
export function tusRoutes(router: Router, parts: TusRouteParts): void {
  const answer = async (ctx: Context, method: TusMethod, id?: string) => {
    ctx.set('Cache-Control', 'no-store');
    const openedScope = openScope(ctx, parts);
    const gone = clientGone(ctx);
    const isCreation = method === 'POST';
    const scope = isCreation ? withCaller(openedScope, await parts.callers.ofCreation(ctx)) : openedScope;
    const { tus } = parts.roadsOf(scope.span);
    const { status, headers } = await tus.handle({ scope, request: ctx.req, method, id, gone });
    ctx.status = status;
    ctx.body = status === 204 ? null : '';
    ctx.remove('Content-Type');
    ctx.set(headers);
  };
  const answerOf = async (ctx: Context, method: TusMethod) =>
    await answer(ctx, method, requireUploadId(ctx.params['id']));
  router.options(TUS_PATH, async (ctx) => {
    ctx.set('Allow', allowedMethods(ctx) ?? '');
    await answer(ctx, 'OPTIONS');
  });
  router.post(TUS_PATH, async (ctx) => await answer(ctx, 'POST'));
  router.head(`${TUS_PATH}/:id`, async (ctx) => await answerOf(ctx, 'HEAD'));
  router.patch(`${TUS_PATH}/:id`, async (ctx) => await answerOf(ctx, 'PATCH'));
  router.delete(`${TUS_PATH}/:id`, async (ctx) => await answerOf(ctx, 'DELETE'));
  router.post(`${TUS_PATH}/:id`, async (ctx) => await answerOf(ctx, overridingMethod(ctx)));
}

/** Returns the method in `X-HTTP-Method-Override` (tus 1.0), because some clients can only send GET and POST. */
function overridingMethod(ctx: Context): TusMethod {
  const wanted = ctx.get('X-HTTP-Method-Override').toUpperCase();
  const method = OF_AN_UPLOAD.find((known) => known === wanted);
  if (method !== undefined) return method;
  throw unsupportedMethod(ctx, wanted === '' ? 'POST without X-HTTP-Method-Override' : `the method ${wanted}`);
}
