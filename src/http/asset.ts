import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';

/** Content codings that an asset comes in, the smallest first. */
export const ASSET_CODINGS = ['br', 'gzip', 'identity'] as const;

/** Names a content coding (RFC 9110 section 8.4.1). */
export type AssetCoding = (typeof ASSET_CODINGS)[number];

/** A document that stays the same while the process runs, ready to be sent in each coding. */
export interface Asset {
  readonly bodies: Readonly<Record<AssetCoding, Buffer>>;
  /** The whole `Content-Type`, charset included. */
  readonly type: string;
  /** Changes with the bytes and with nothing else; without the quotes, and to be told apart by coding (RFC 9110 section 8.8.3). */
  readonly tag: string;
}

/** Makes an asset of bodies that are compressed already. */
export function assetOf(bodies: Asset['bodies'], type: string): Asset {
  const tag = createHash('sha256').update(bodies.identity).digest('base64url').slice(0, 22);
  return { bodies, type, tag };
}

/** Compresses a text and makes an asset of it. */
export async function compressedAsset(text: string, type: string): Promise<Asset> {
  const identity = Buffer.from(text);
  const [br, gz] = await Promise.all([promisify(brotliCompress)(identity), promisify(gzip)(identity)]);
  return assetOf({ br, gzip: gz, identity }, type);
}
