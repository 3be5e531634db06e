import type Router from '@koa/router';
import { ServiceError } from '../errors.ts';
import { compressedAsset, type Asset, sendAsset } from '../http/asset.ts';
import type { PageAssets } from '../page/assets.ts';

/** Isolates the page from other windows and disables unused features. A file input can still take a photo. */
const PAGE_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'geolocation=(), microphone=(), payment=(), usb=()',
};

/** The parts that the routes with information about the process need. */
export interface ServiceRouteParts {
  /** Rejects with `service_unavailable` (503) if Redis does not answer, and with `shutting_down` (503) at shutdown. */
  checkReady(): Promise<void>;
  /** Returns the number of live workers. The process is ready even without one: uploads are stored and wait. */
  countWorkers(): Promise<number>;
  metrics: { contentType: string; text(): Promise<string> };
  /** Makes the API reference. Called once, at the first request for it. */
  openApi: () => unknown;
  assets: PageAssets;
  /** True if a management address serves the details. They are not served here then. Default false. */
  hasManagementAddress?: boolean;
}

/** The parts that the routes of the management address need. */
export type ManagementRouteParts = Omit<ServiceRouteParts, 'assets' | 'hasManagementAddress'>;

/** Adds health, metrics, API reference and the page. */
export function serviceRoutes(router: Router, parts: ServiceRouteParts): void {
  if (parts.hasManagementAddress === true) bareRoutes(router, parts);
  else managementRoutes(router, parts);
  for (const [path, asset] of parts.assets.files) {
    router.get(path, (ctx) => {
      if (path === '/') ctx.set({ 'Content-Security-Policy': parts.assets.contentSecurityPolicy, ...PAGE_HEADERS });
      sendAsset(ctx, asset);
    });
  }
}

/** Adds health with details, metrics and API reference. */
export function managementRoutes(router: Router, parts: ManagementRouteParts): void {
  healthRoute(router);
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

  // Most processes never get this request, so the document is made on the first one.
  let openApi: Promise<Asset> | undefined;
  router.get('/openapi.json', async (ctx) => {
    openApi ??= compressedAsset(JSON.stringify(parts.openApi()), 'application/json; charset=utf-8');
    sendAsset(ctx, await openApi);
  });
}

/**
 * Adds health for load balancers without reasons and figures, because anyone may read it. It only says if no worker
 * runs, so that the page can say why its uploads wait.
 */
function bareRoutes(
  router: Router,
  { checkReady, countWorkers }: Pick<ServiceRouteParts, 'checkReady' | 'countWorkers'>,
): void {
  healthRoute(router);
  router.get('/readyz', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const ready = checkReady().then(countWorkers);
    const workers = await ready.catch((error: unknown) => {
      throw new ServiceError(
        'service_unavailable',
        'This process cannot serve requests now. Its management address says why.',
        { cause: error },
      );
    });
    ctx.body = workers === 0 ? { status: 'ready', workers } : { status: 'ready' };
  });

  router.get(['/metrics', '/openapi.json'], () => {
    throw new ServiceError(
      'not_found',
      'Only the management address serves this: see MANAGEMENT_HOST and MANAGEMENT_PORT in docs/operations.md.',
    );
  });
}

function healthRoute(router: Router): void {
  router.get('/healthz', (ctx) => {
    // The browser client asks without CORS, to report whether the service is unreachable or does not allow the page.
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
    ctx.body = { status: 'ok' };
  });
}
