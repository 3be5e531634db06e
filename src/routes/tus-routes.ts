import type Router from '@koa/router';
import type { Context } from 'koa';
import { ServiceError } from '../errors.ts';
import { openScope, type ScopeParts } from '../http/request-scope.ts';
import { requireUploadId } from '../http/parameters.ts';
import { TUS_PATH, TUS_VERSION, type TusEndpoint, type TusMethod } from '../roads/tus/tus-endpoint.ts';

/** What the routes of resumable uploads need. */
export interface TusRouteParts extends ScopeParts {
  tus: Pick<TusEndpoint, 'handle'>;
}

const OF_AN_UPLOAD: readonly TusMethod[] = ['HEAD', 'PATCH', 'DELETE'];

/** Adds the routes of resumable uploads (tus protocol). */
export function tusRoutes(router: Router, parts: TusRouteParts): void {
  const answer = async (ctx: Context, method: TusMethod, id?: string) => {
    ctx.set('Tus-Resumable', TUS_VERSION);
    ctx.set('Cache-Control', 'no-store');
    const scope = openScope(ctx, parts);
    const gone = new AbortController();
    ctx.res.once('close', () => gone.abort());
    const { status, headers } = await parts.tus.handle({ scope, request: ctx.req, method, id, gone: gone.signal });
    ctx.status = status;
    ctx.body = status === 204 ? null : '';
    ctx.remove('Content-Type');
    ctx.set(headers);
  };
  const answerOf = async (ctx: Context, method: TusMethod) =>
    await answer(ctx, method, requireUploadId(ctx.params['id']));
  router.options(TUS_PATH, async (ctx) => await answer(ctx, 'OPTIONS'));
  router.post(TUS_PATH, async (ctx) => await answer(ctx, 'POST'));
  router.head(`${TUS_PATH}/:id`, async (ctx) => await answerOf(ctx, 'HEAD'));
  router.patch(`${TUS_PATH}/:id`, async (ctx) => await answerOf(ctx, 'PATCH'));
  router.delete(`${TUS_PATH}/:id`, async (ctx) => await answerOf(ctx, 'DELETE'));
  router.post(`${TUS_PATH}/:id`, async (ctx) => await answerOf(ctx, overridingMethod(ctx)));
}

/** tus 1.0, "X-HTTP-Method-Override": some clients can only send GET and POST. */
function overridingMethod(ctx: Context): TusMethod {
  const wanted = ctx.get('X-HTTP-Method-Override').toUpperCase();
  const method = OF_AN_UPLOAD.find((known) => known === wanted);
  if (method !== undefined) return method;
  const allow = [...OF_AN_UPLOAD, 'OPTIONS'].join(', ');
  throw new ServiceError('method_not_allowed', `This address does not support this method. Use ${allow}.`, {
    headers: { Allow: allow },
  });
}
