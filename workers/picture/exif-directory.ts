import { Buffer } from 'node:buffer';

/** One table (IFD) of an EXIF block. A tag that is absent, broken or of another type counts as missing. */
export interface ExifDirectory {
  /**
   * Returns the text up to the first NUL, at most 200 bytes, decoded as UTF-8, or as Latin-1 if it is not valid UTF-8.
   */
  text(tag: number): string | undefined;
  /** Returns at most four values of any numeric type. A fraction with the denominator 0 is infinite or NaN. */
  numbers(tag: number): readonly number[];
  /** Returns the bytes of a value of the type UNDEFINED. There are fewer if the block ends before. */
  bytes(tag: number): Buffer;
  /** Returns the table that the tag points to, or an empty table. */
  directory(tag: number): ExifDirectory;
}

const ENTRY_BYTES = 12;
const TEXT_TYPE = 2;
const UINT32_TYPE = 4;
const BYTES_TYPE = 7;
/** The types of pointers. They should be LONG, but some programs write SLONG or IFD. */
const POINTER_TYPES: readonly number[] = [UINT32_TYPE, 9, 13];
const MAX_TEXT_BYTES = 200;
const MAX_NUMBERS = 4;

/** The numeric types of TIFF by their type number. */
const NUMBER_TYPES: ReadonlyMap<number, NumberType> = new Map([
  [1, { bytes: 1, read: (view, at) => view.getUint8(at) }],
  [3, { bytes: 2, read: (view, at, little) => view.getUint16(at, little) }],
  [UINT32_TYPE, { bytes: 4, read: (view, at, little) => view.getUint32(at, little) }],
  [5, { bytes: 8, read: (view, at, little) => view.getUint32(at, little) / view.getUint32(at + 4, little) }],
  [6, { bytes: 1, read: (view, at) => view.getInt8(at) }],
  [8, { bytes: 2, read: (view, at, little) => view.getInt16(at, little) }],
  [9, { bytes: 4, read: (view, at, little) => view.getInt32(at, little) }],
  [13, { bytes: 4, read: (view, at, little) => view.getUint32(at, little) }],
  [10, { bytes: 8, read: (view, at, little) => view.getInt32(at, little) / view.getInt32(at + 4, little) }],
]);

interface NumberType {
  readonly bytes: number;
  readonly read: (view: DataView, at: number, little: boolean) => number;
}

const EMPTY: ExifDirectory = {
  text: () => undefined,
  numbers: () => [],
  bytes: () => Buffer.alloc(0),
  directory: () => EMPTY,
};

/**
 * Returns the first table of an EXIF block from a file (TIFF 6.0, section 2), or an empty table. Never throws. It reads
 * only the requested tags: in a hostile block each entry can claim the whole block as its value, and a reader that
 * lists all entries would unfold 64 KiB to gigabytes.
 */
export function readExif(block: Buffer | undefined): ExifDirectory {
  const tiff = block === undefined ? undefined : tiffOf(block);
  return tiff === undefined ? EMPTY : directoryAt(tiff.view, tiff.little, tiff.first);
}

/** True if the block begins with a whole table. */
export function isReadableExif(block: Buffer): boolean {
  const tiff = tiffOf(block);
  if (tiff === undefined || tiff.first + 2 > tiff.view.byteLength) return false;
  return tiff.first + 2 + tiff.view.getUint16(tiff.first, tiff.little) * ENTRY_BYTES <= tiff.view.byteLength;
}

/** The TIFF of an EXIF block, with the place of its first table. */
interface Tiff {
  readonly view: DataView;
  readonly little: boolean;
  readonly first: number;
}

function tiffOf(block: Buffer): Tiff | undefined {
  const bytes = block.subarray(block.toString('latin1', 0, 6) === 'Exif\0\0' ? 6 : 0);
  const order = bytes.toString('latin1', 0, 2);
  if (bytes.length < 8 || (order !== 'II' && order !== 'MM')) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = order === 'II';
  return { view, little, first: view.getUint32(4, little) };
}

function directoryAt(view: DataView, little: boolean, offset: number): ExifDirectory {
  if (offset + 2 > view.byteLength) {
    return EMPTY;
  }
  const end = Math.min(offset + 2 + view.getUint16(offset, little) * ENTRY_BYTES, view.byteLength);

  /** Returns the position of the first entry with this tag and a suitable type. */
  function find(tag: number, isWanted: (type: number) => boolean): number | undefined {
    for (let at = offset + 2; at + ENTRY_BYTES <= end; at += ENTRY_BYTES) {
      if (view.getUint16(at, little) === tag && isWanted(view.getUint16(at + 2, little))) {
        return at;
      }
    }
    return undefined;
  }

  return {
    text(tag) {
      const at = find(tag, (type) => type === TEXT_TYPE);
      return at === undefined ? undefined : textAt(view, little, at);
    },
    numbers(tag) {
      const at = find(tag, (type) => NUMBER_TYPES.has(type));
      return at === undefined ? [] : numbersAt(view, little, at);
    },
    bytes(tag) {
      const at = find(tag, (type) => type === BYTES_TYPE);
      return at === undefined ? EMPTY.bytes(tag) : valueAt(view, little, at);
    },
    directory(tag) {
      const at = find(tag, (type) => POINTER_TYPES.includes(type));
      return at === undefined ? EMPTY : directoryAt(view, little, view.getUint32(at + 8, little));
    },
  };
}

function textAt(view: DataView, little: boolean, entry: number): string {
  const bytes = valueAt(view, little, entry).subarray(0, MAX_TEXT_BYTES);
  const nul = bytes.indexOf(0);
  return decodeText(nul === -1 ? bytes : bytes.subarray(0, nul));
}

/** Returns the value of an entry whose values have one byte each. */
function valueAt(view: DataView, little: boolean, entry: number): Buffer {
  const count = view.getUint32(entry + 4, little);
  const start = count <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).subarray(start, start + count);
}

function numbersAt(view: DataView, little: boolean, entry: number): number[] {
  const type = NUMBER_TYPES.get(view.getUint16(entry + 2, little));
  const count = Math.min(view.getUint32(entry + 4, little), MAX_NUMBERS);
  if (type === undefined) {
    return [];
  }
  const start = type.bytes * view.getUint32(entry + 4, little) <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
  const places = Array.from({ length: count }, (_, index) => start + index * type.bytes);
  return places.filter((at) => at + type.bytes <= view.byteLength).map((at) => type.read(view, at, little));
}

/** Decodes a text. The standard requires ASCII, but cameras write other encodings. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('latin1').decode(bytes);
  }
}
