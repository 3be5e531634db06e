import type { Context } from 'koa';
import { ASSET_CODINGS, type Asset } from './asset.ts';
import { hasSeen } from './entity-tags.ts';

/** Answers with an asset in the smallest coding that the client accepts; 304 if the client has it. */
export function sendAsset(ctx: Context, asset: Asset): void {
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
