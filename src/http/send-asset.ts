import type { Context } from 'koa';
import { ASSET_CODINGS, type PageAsset } from '../page/assets.ts';
import { hasSeen } from './entity-tags.ts';

/** Answers with a file of a page, in the smallest coding that the browser takes; 304 where it has it. */
export function sendAsset(ctx: Context, asset: PageAsset): void {
  const coding = ASSET_CODINGS.find((wanted) => ctx.acceptsEncodings(wanted) === wanted) ?? 'identity';
  const etag = coding === 'identity' ? `"${asset.tag}"` : `"${asset.tag}-${coding}"`;
  ctx.set({ ETag: etag, 'Cache-Control': 'no-cache' });
  ctx.vary('Accept-Encoding');
  if (hasSeen(ctx, etag)) {
    ctx.status = 304;
    return;
  }
  ctx.set('Content-Type', asset.type);
  if (coding !== 'identity') ctx.set('Content-Encoding', coding);
  ctx.body = asset.bodies[coding];
}
