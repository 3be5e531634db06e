import type Router from '@koa/router';
import { ServiceError } from '../errors.ts';
import { hasSeen } from '../http/entity-tags.ts';
import { ASSET_CODINGS, type PageAssets } from '../web/assets.ts';

/** What is told of the process itself. */
export interface ServiceRouteParts {
  /** Rejects with `service_unavailable` where Redis cannot be asked. */
  checkReady(): Promise<void>;
  metrics: { contentType: string; text(): Promise<string> };
  openApi: unknown;
  assets: PageAssets;
}

/** What operators and browsers ask of the process itself. */
export function serviceRoutes(router: Router, parts: ServiceRouteParts): void {
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' };
  });

  router.get('/readyz', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    await parts.checkReady();
    ctx.body = { status: 'ready' };
  });

  router.get('/metrics', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const text = await parts.metrics.text();
    ctx.set('Content-Type', parts.metrics.contentType);
    ctx.body = text;
  });

  const openApi = JSON.stringify(parts.openApi);
  router.get('/openapi.json', (ctx) => {
    ctx.type = 'application/json';
    ctx.body = openApi;
  });

  for (const path of parts.assets.files.keys()) pageRoute(router, parts.assets, path);
}

function pageRoute(router: Router, assets: PageAssets, path: string): void {
  router.get(path, (ctx) => {
    const asset = assets.files.get(path);
    if (asset === undefined) throw new ServiceError('not_found', 'There is nothing at this address.');
    const coding = ASSET_CODINGS.find((wanted) => ctx.acceptsEncodings(wanted) === wanted) ?? 'identity';
    const etag = coding === 'identity' ? `"${asset.tag}"` : `"${asset.tag}-${coding}"`;
    ctx.set({ ETag: etag, 'Cache-Control': 'no-cache' });
    ctx.vary('Accept-Encoding');
    if (path === '/') ctx.set('Content-Security-Policy', assets.contentSecurityPolicy);
    if (hasSeen(ctx, etag)) {
      ctx.status = 304;
      return;
    }
    ctx.set('Content-Type', asset.type);
    if (coding !== 'identity') ctx.set('Content-Encoding', coding);
    ctx.body = asset.bodies[coding];
  });
}
