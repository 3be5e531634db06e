import type Router from '@koa/router';
import { compressedAsset, type Asset, sendAsset } from '../http/asset.ts';
import type { PageAssets } from '../page/assets.ts';

/** Isolates the page from other windows and disables unused features. A file input can still take a photo. */
const PAGE_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'geolocation=(), microphone=(), payment=(), usb=()',
};

/** Information about the process. */
export interface ServiceRouteParts {
  /** Rejects with `service_unavailable` (503) if Redis does not answer, and with `shutting_down` (503) at shutdown. */
  checkReady(): Promise<void>;
  /** The number of live workers. The process is ready even without a worker: uploads are stored and wait. */
  countWorkers(): Promise<number>;
  metrics: { contentType: string; text(): Promise<string> };
  openApi: unknown;
  assets: PageAssets;
}

/** Health, metrics, API reference and the page. */
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

  // Most processes never get this request, so the document is compressed on the first one.
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
