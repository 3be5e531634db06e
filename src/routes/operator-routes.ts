import type Router from '@koa/router';
import type { ServiceFigures } from '../wire/documents.ts';
import { sendAsset } from '../http/send-asset.ts';
import { requireUploadId } from '../http/upload-id.ts';
import type { PageAssets } from '../page/assets.ts';

/** What operators are shown, and what they may do. Whoever gets here is one. */
export interface OperatorRouteParts {
  /** Rejects with `service_unavailable` where Redis cannot be asked. */
  readFigures(): Promise<ServiceFigures>;
  /** Rejects with `not_retryable` if another attempt cannot succeed. */
  retry(id: string): Promise<void>;
  assets: PageAssets;
}

/** The operators' page and its requests. */
export function operatorRoutes(router: Router, parts: OperatorRouteParts): void {
  router.get('/operators/figures', async (ctx) => {
    ctx.body = await parts.readFigures();
  });

  router.post('/operators/uploads/:id/retry', async (ctx) => {
    await parts.retry(requireUploadId(ctx.params['id']));
    ctx.status = 204;
  });

  for (const [path, asset] of parts.assets.files) {
    router.get(path, (ctx) => {
      ctx.set('Content-Security-Policy', parts.assets.contentSecurityPolicy);
      sendAsset(ctx, asset);
    });
  }
}
