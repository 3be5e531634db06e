import { Buffer } from 'node:buffer';

const SHORT = 3;
const LONG = 4;

/** One entry of a directory: tag, type (3 or 4) and values. */
export type TiffTag = readonly [tag: number, type: 3 | 4, values: readonly number[]];

export interface TiffContent {
  readonly width?: number;
  readonly height?: number;
  /** Bits of each channel. */
  readonly bits: readonly number[];
  /** Default 2, which is RGB. */
  readonly photometric?: number;
  /** Bytes of one pixel. Every pixel is the same. */
  readonly pixel: readonly number[];
  /** Further entries. One of them replaces an entry of the same tag. */
  readonly tags?: readonly TiffTag[];
}

/** Makes an uncompressed little-endian TIFF of one colour. Sharp cannot write most kinds of TIFF. */
export function tiffFile({ width = 16, height = 16, bits, photometric = 2, pixel, tags = [] }: TiffContent): Buffer {
  const pixels = Buffer.alloc(width * height * pixel.length, Buffer.from(pixel));
  const own: readonly TiffTag[] = [
    [256, SHORT, [width]],
    [257, SHORT, [height]],
    [258, SHORT, bits],
    [259, SHORT, [1]],
    [262, SHORT, [photometric]],
    [273, LONG, [8]],
    [277, SHORT, [bits.length]],
    [278, SHORT, [height]],
    [279, LONG, [pixels.length]],
  ];
  const entries = [...own.filter(([tag]) => !tags.some(([other]) => other === tag)), ...tags];
  const at = 8 + pixels.length + (pixels.length % 2);
  const head = Buffer.alloc(at);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(at, 4);
  pixels.copy(head, 8);
  return Buffer.concat([head, tiffDirectory(entries, at)]);
}

/** Makes one directory at an offset of the file, followed by the values that do not fit into its entries. */
export function tiffDirectory(tags: readonly TiffTag[], offset: number, next = 0): Buffer {
  const entries = tags.toSorted(([one], [other]) => one - other);
  const fixed = Buffer.alloc(2 + entries.length * 12 + 4);
  const values: Buffer[] = [];
  let valueAt = offset + fixed.length;
  fixed.writeUInt16LE(entries.length);
  entries.forEach(([tag, type, numbers], index) => {
    const bytes = type === SHORT ? 2 : 4;
    const value = Buffer.alloc(Math.max(4, numbers.length * bytes));
    numbers.forEach((number, place) => value.writeUIntLE(number, place * bytes, bytes));
    const at = 2 + index * 12;
    fixed.writeUInt16LE(tag, at);
    fixed.writeUInt16LE(type, at + 2);
    fixed.writeUInt32LE(numbers.length, at + 4);
    if (value.length === 4) value.copy(fixed, at + 8);
    else {
      fixed.writeUInt32LE(valueAt, at + 8);
      values.push(value);
      valueAt += value.length;
    }
  });
  fixed.writeUInt32LE(next, fixed.length - 4);
  return Buffer.concat([fixed, ...values]);
}
