import type Router from '@koa/router';
import { compressedAsset, type Asset } from '../http/asset.ts';
import { sendAsset } from '../http/send-asset.ts';
import type { PageAssets } from '../page/assets.ts';

/** Other windows get no hold of the page, and it uses none of these features. A file input may still take a photo. */
const PAGE_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'geolocation=(), microphone=(), payment=(), usb=()',
};

/** What is told of the process itself. */
export interface ServiceRouteParts {
  /** Rejects where no requests are to be sent here: with `service_unavailable` where Redis cannot be asked, with `shutting_down` before the end. */
  checkReady(): Promise<void>;
  /** Worker processes that are alive. Without one the process is ready all the same: uploads are taken and wait. */
  countWorkers(): Promise<number>;
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
    ctx.body = { status: 'ready', workers: await parts.countWorkers() };
  });

  router.get('/metrics', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const text = await parts.metrics.text();
    ctx.set('Content-Type', parts.metrics.contentType);
    ctx.body = text;
  });

  // Few processes are asked for it, so it is compressed for the first client that asks.
  let openApi: Promise<Asset> | undefined;
  router.get('/openapi.json', async (ctx) => {
    openApi ??= compressedAsset(JSON.stringify(parts.openApi), 'application/json; charset=utf-8');
    sendAsset(ctx, await openApi);
  });

  for (const [path, asset] of parts.assets.files) {
    router.get(path, (ctx) => {
      if (path === '/') ctx.set({ 'Content-Security-Policy': parts.assets.contentSecurityPolicy, ...PAGE_HEADERS });
      sendAsset(ctx, asset);
    });
  }
}
