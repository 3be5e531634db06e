import type { Size } from '../size.ts';

/** The place of the pixels in a TIFF, and all its bytes. */
interface PixelTiff {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Rows without gaps between them, to be filled in. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

const HEADER_BYTES = 8;
const ENTRY_BYTES = 12;
const [SHORT, LONG, UNDEFINED] = [3, 4, 7];

/** The rows of one strip. Readers keep one strip in memory at a time. */
const ROWS_PER_STRIP = 16;

interface Field {
  readonly tag: number;
  readonly type: number;
  readonly values: readonly number[] | Uint8Array;
}

/**
 * Makes a TIFF without compression (TIFF 6.0). It carries decoded pixels together with their profile into libvips,
 * which takes no profile beside raw pixels. The fourth channel is alpha.
 * @param bits the bits of each channel. If a channel has two bytes, the lower one comes first.
 */
export function pixelTiff(
  { width, height }: Size,
  channels: 3 | 4,
  bits: 8 | 16,
  icc: Uint8Array | undefined,
): PixelTiff {
  const rowBytes = (width * channels * bits) / 8;
  const pixelBytes = rowBytes * height;
  const starts = Array.from({ length: Math.ceil(height / ROWS_PER_STRIP) }, (_, strip) => strip * ROWS_PER_STRIP);
  const fields: Field[] = [
    { tag: 256, type: LONG, values: [width] },
    { tag: 257, type: LONG, values: [height] },
    { tag: 258, type: SHORT, values: Array.from({ length: channels }, () => bits) },
    { tag: 259, type: SHORT, values: [1] },
    { tag: 262, type: SHORT, values: [2] },
    { tag: 273, type: LONG, values: starts.map((row) => HEADER_BYTES + row * rowBytes) },
    { tag: 277, type: SHORT, values: [channels] },
    { tag: 278, type: LONG, values: [ROWS_PER_STRIP] },
    { tag: 279, type: LONG, values: starts.map((row) => Math.min(ROWS_PER_STRIP, height - row) * rowBytes) },
    ...(channels === 4 ? [{ tag: 338, type: SHORT, values: [2] }] : []),
    ...(icc === undefined ? [] : [{ tag: 34_675, type: UNDEFINED, values: icc }]),
  ];
  const directoryAt = HEADER_BYTES + pixelBytes + (pixelBytes % 2);
  const valuesAt = directoryAt + 2 + fields.length * ENTRY_BYTES + 4;
  const bytes = new Uint8Array(fields.reduce((sum, field) => sum + outsideBytes(field), valuesAt));
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, directoryAt, true);
  writeDirectory(view, directoryAt, valuesAt, fields);
  return { bytes, pixels: bytes.subarray(HEADER_BYTES, HEADER_BYTES + pixelBytes) };
}

function writeDirectory(view: DataView, directoryAt: number, valuesAt: number, fields: readonly Field[]): void {
  view.setUint16(directoryAt, fields.length, true);
  let free = valuesAt;
  for (const [index, field] of fields.entries()) {
    const entry = directoryAt + 2 + index * ENTRY_BYTES;
    view.setUint16(entry, field.tag, true);
    view.setUint16(entry + 2, field.type, true);
    view.setUint32(entry + 4, field.values.length, true);
    const isInline = outsideBytes(field) === 0;
    if (!isInline) view.setUint32(entry + 8, free, true);
    writeValues(view, isInline ? entry + 8 : free, field);
    free += outsideBytes(field);
  }
}

function writeValues(view: DataView, start: number, { type, values }: Field): void {
  if (values instanceof Uint8Array) return new Uint8Array(view.buffer).set(values, start);
  for (const [index, value] of values.entries()) {
    if (type === SHORT) view.setUint16(start + 2 * index, value, true);
    else view.setUint32(start + 4 * index, value, true);
  }
}

/**
 * Returns the number of bytes that values take outside of their entry: 0 if they fit into its four bytes. Values begin
 * at even positions.
 */
function outsideBytes({ type, values }: Field): number {
  const bytes = values.length * ({ [SHORT]: 2, [LONG]: 4 }[type] ?? 1);
  return bytes <= 4 ? 0 : bytes + (bytes % 2);
}
