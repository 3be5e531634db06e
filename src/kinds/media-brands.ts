import type { Buffer } from 'node:buffer';

/**
 * Returns whether the major brand or a compatible brand of a file is one of `brands` (ISO/IEC 14496-12, section 4.3).
 * @param head the first bytes of the file. Brands beyond its end are ignored.
 */
export function hasBrand(head: Buffer, brands: readonly string[]): boolean {
  if (head.toString('latin1', 4, 8) !== 'ftyp') return false;
  const end = Math.min(head.length - 3, head.readUInt32BE(0));
  for (let at = 8; at < end; at += 4) {
    // Byte 12 is the version of the major brand.
    if (at !== 12 && brands.includes(head.toString('latin1', at, at + 4))) return true;
  }
  return false;
}
