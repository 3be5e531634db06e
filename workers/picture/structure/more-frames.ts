import type { FileWindow } from './file-window.ts';

/** Brands of files with moving pictures (ISO/IEC 23008-12; AV1 image file format, section 6.3). */
const MOVING_BRANDS: readonly string[] = ['avis', 'hevc', 'hevx', 'msf1'];
const MAX_BRANDS_BYTES = 1024;

/**
 * Returns whether an AVIF or HEIC has moving pictures, which the libraries do not report. The file begins with its
 * brands: the major one, a version, and the compatible ones.
 */
export async function hasMovingBrand(window: FileWindow): Promise<boolean> {
  const size = (await window.read(0, 4))?.readUInt32BE(0) ?? 0;
  const brands = await window.read(0, Math.min(size, MAX_BRANDS_BYTES));
  if (brands === undefined) return false;
  for (let at = 8; at + 4 <= brands.length; at += 4)
    if (MOVING_BRANDS.includes(brands.toString('latin1', at, at + 4))) return true;
  return false;
}
