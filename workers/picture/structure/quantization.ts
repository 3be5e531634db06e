import type { Buffer } from 'node:buffer';
import { lostPixels } from './lost-pixels.ts';

const TABLE_VALUES = 64;

/**
 * Checks the content of a segment with quantization tables (ITU-T T.81, section B.2.4.1). Throws `picture_damaged` if
 * the first value of a table is zero. The decoder does not notice that, and every block loses its brightness.
 */
export function checkQuantization(tables: Buffer): void {
  for (let at = 0; at < tables.length;) {
    const valueBytes = ((tables[at] ?? 0) & 0xf0) === 0 ? 1 : 2;
    if (at + 1 + valueBytes > tables.length) return;
    if (tables.readUIntBE(at + 1, valueBytes) === 0) throw lostPixels();
    at += 1 + TABLE_VALUES * valueBytes;
  }
}
