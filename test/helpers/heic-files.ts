import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';

/**
 * Small HEIC files, made with heif-enc 1.15 and x265. The first four have quarters of `HEIC_COLOURS` before any
 * rotation, all but `grid` in 96 × 64 pixels.
 * - phone: as an iPhone writes it. The container turns it by 90° clockwise, and its EXIF has the orientation 6 as well.
 * - alpha: half transparent.
 * - deep-p3: ten bits, with the primaries of Display P3 as numbers, without a profile.
 * - grid: as an iPhone 15 arranges it: four tiles, cropped to 120 × 100 pixels and turned by 90° clockwise, Display P3
 *   by numbers. Beside them are EXIF, XMP, a thumbnail, depth, a matte, a gain map and an HDR picture made from it.
 * - pq, hlg: BT.2020 by numbers, in ten bits. In reading order the quarters are white, the peak, a red outside sRGB and
 *   a dark grey. The right half of `pq` is half transparent.
 */
export function heicFile(name: 'phone' | 'alpha' | 'deep-p3' | 'grid' | 'pq' | 'hlg'): Buffer {
  return readFileSync(new URL(`../fixtures/pictures/${name}.heic`, import.meta.url));
}

/** The colours of the quarters: top left, top right, bottom left, bottom right. */
export const HEIC_COLOURS = [
  [200, 40, 40],
  [50, 70, 200],
  [40, 160, 60],
  [230, 220, 90],
] as const;

/** Returns a copy of `phone` that is mirrored left to right instead of turned. */
export function mirroredHeic(): Buffer {
  const copy = heicFile('phone');
  const at = copy.indexOf('irot');
  copy.write('imir', at, 'latin1');
  copy[at + 4] = 1;
  return copy;
}

/** Returns a copy of `phone` whose description (box `ispe`) claims another size. */
export function claimedHeic(width: number, height: number): Buffer {
  const copy = heicFile('phone');
  const at = copy.indexOf('ispe') + 8;
  copy.writeUInt32BE(width, at);
  copy.writeUInt32BE(height, at + 4);
  return copy;
}

/** Returns the beginning of a HEIC file, without a picture. */
export function heicHead(brand = 'heic', compatible = 'mif1heic'): Buffer {
  const box = Buffer.from(`\0\0\0\u0018ftyp${brand}\0\0\0\0${compatible}`, 'latin1');
  return Buffer.concat([box, Buffer.alloc(5000)]);
}
