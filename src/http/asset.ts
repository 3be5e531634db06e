import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { Context } from 'koa';
import { hasSeen } from './entity-tags.ts';

/** The content codings of an asset, the smallest first. */
const ASSET_CODINGS = ['br', 'gzip', 'identity'] as const;

/** A content coding (RFC 9110 section 8.4.1). */
type AssetCoding = (typeof ASSET_CODINGS)[number];

/** A document that does not change while the process runs, in every coding. */
export interface Asset {
  readonly bodies: Readonly<Record<AssetCoding, Buffer>>;
  /** The whole `Content-Type`, including the charset. */
  readonly type: string;
  /** A digest of the uncompressed bytes. The coding is appended to make an entity tag (RFC 9110 section 8.8.3). */
  readonly tag: string;
}

/** Makes an asset from bodies that are already compressed. */
export function assetOf(bodies: Asset['bodies'], type: string): Asset {
  const tag = createHash('sha256').update(bodies.identity).digest('base64url').slice(0, 22);
  return { bodies, type, tag };
}

/** Compresses a text and makes an asset from it. */
export async function compressedAsset(text: string, type: string): Promise<Asset> {
  const identity = Buffer.from(text);
  const [br, gz] = await Promise.all([promisify(brotliCompress)(identity), promisify(gzip)(identity)]);
  return assetOf({ br, gzip: gz, identity }, type);
}

/** Answers with an asset in the smallest coding that the client accepts, or with 304 if the client has it. */
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
