import type Router from '@koa/router';
import { ServiceError } from '../errors.ts';
import type { Delivery, DeliveryList, FoundUploads, ServiceFigures } from '../wire/documents.ts';
import { sendAsset } from '../http/asset.ts';
import { requireUploadId } from '../http/parameters.ts';
import type { PageAssets } from '../page/assets.ts';

/** The hash of an upload id, as the figures and the logs contain it. */
const UPLOAD_REF = /^[0-9a-f]{12}$/;

/** The requests of operators. The caller has already checked that the client is an operator. */
export interface OperatorRouteParts {
  /** Rejects with `service_unavailable` (503) if Redis does not answer. */
  readFigures(): Promise<ServiceFigures>;
  /** Finds uploads by id, by hash, or by a part of their name. */
  find(text: string): Promise<FoundUploads>;
  /** Rejects with `not_retryable` (409) if another attempt cannot succeed. */
  retry(id: string): Promise<void>;
  /** Like `retry`, for the `ref` of a listed upload. */
  retryListed(ref: string): Promise<void>;
  listDeliveries(state: Delivery['state']): Promise<DeliveryList>;
  /** Rejects with `unknown_delivery` (404) if no such delivery has failed. */
  replay(id: string): Promise<void>;
  assets: PageAssets;
}

/** Adds the operators' page and its requests. */
export function operatorRoutes(router: Router, parts: OperatorRouteParts): void {
  router.get('/operators/figures', async (ctx) => {
    ctx.body = await parts.readFigures();
  });

  router.get('/operators/uploads', async (ctx) => {
    ctx.body = await parts.find(readSearch(ctx.query['q']));
  });

  router.post('/operators/uploads/:id/retry', async (ctx) => {
    const { id } = ctx.params;
    if (id !== undefined && UPLOAD_REF.test(id)) await parts.retryListed(id);
    else await parts.retry(requireUploadId(id));
    ctx.status = 204;
  });

  router.get('/operators/deliveries', async (ctx) => {
    ctx.body = await parts.listDeliveries(readState(ctx.query['state']));
  });

  router.post('/operators/deliveries/:id/replay', async (ctx) => {
    await parts.replay(ctx.params['id'] ?? '');
    ctx.status = 204;
  });

  for (const [path, asset] of parts.assets.files) {
    router.get(path, (ctx) => {
      ctx.set('Content-Security-Policy', parts.assets.contentSecurityPolicy);
      sendAsset(ctx, asset);
    });
  }
}

/** Minimum length of a search, because shorter texts match too much. */
const SHORTEST_SEARCH = 3;

function readSearch(value: string | string[] | undefined): string {
  if (typeof value === 'string' && value.trim().length >= SHORTEST_SEARCH && value.length <= 300) return value;
  throw new ServiceError('bad_request', '`q` must have 3 to 300 characters, and be given once.');
}

function readState(value: string | string[] | undefined): Delivery['state'] {
  if (value === undefined || value === 'failed') return 'failed';
  if (value === 'pending') return 'pending';
  throw new ServiceError('bad_request', '`state` must be failed or pending, and be given at most once.');
}
