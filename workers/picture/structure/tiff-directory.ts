import type { Buffer } from 'node:buffer';
import type { FileWindow } from './file-window.ts';

/** How TIFF and BigTIFF encode offsets and counts (TIFF 6.0, section 2). */
export interface TiffLayout {
  readonly isLittle: boolean;
  readonly firstAt: number;
  readonly countBytes: number;
  readonly entryBytes: number;
  /** Reads the number of entries of a directory. */
  count(bytes: Buffer): number;
  /** Reads an offset, or the number of values of an entry. */
  place(bytes: Buffer): number;
  readonly placeBytes: number;
}

/** One entry of a directory. */
export interface TiffEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Position of the values in the file. */
  readonly at: number;
}

/** The entries of one directory by their tags. */
export type TiffDirectory = ReadonlyMap<number, TiffEntry>;

const HEADER_BYTES = 16;
const BIG = 43;

/** The maximum number of entries that are read. No program writes more of them. */
const MAX_ENTRIES = 1000;

/** Bytes of one value by its type (TIFF 6.0, section 2; BigTIFF adds 16 to 18). */
export const TIFF_TYPE_BYTES: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 1],
  [3, 2],
  [4, 4],
  [5, 8],
  [6, 1],
  [7, 1],
  [8, 2],
  [9, 4],
  [10, 8],
  [11, 4],
  [12, 8],
  [13, 4],
  [16, 8],
  [17, 8],
  [18, 8],
]);

/** Reads the layout of a TIFF and the position of its first directory. Undefined if the header is broken. */
export async function readTiffHeader(window: FileWindow): Promise<{ layout: TiffLayout; first: number } | undefined> {
  const header = await window.read(0, Math.min(HEADER_BYTES, window.sizeBytes));
  const layout = header === undefined ? undefined : layoutOf(header);
  return header === undefined || layout === undefined
    ? undefined
    : { layout, first: layout.place(header.subarray(layout.firstAt)) };
}

/**
 * Reads the directory at a position. It is empty if the file ends before. If a tag is repeated, its first entry counts.
 */
export async function readTiffDirectory(window: FileWindow, layout: TiffLayout, at: number): Promise<TiffDirectory> {
  const directory = new Map<number, TiffEntry>();
  const start = await window.read(at, layout.countBytes);
  const count = start === undefined ? 0 : Math.min(layout.count(start), MAX_ENTRIES);
  for (let index = 0; index < count; index++) {
    const entryAt = at + layout.countBytes + index * layout.entryBytes;
    const bytes = await window.read(entryAt, layout.entryBytes);
    if (bytes === undefined) break;
    const entry = entryIn(bytes, layout, entryAt);
    if (!directory.has(entry.tag)) directory.set(entry.tag, entry);
  }
  return directory;
}

/** Returns whether another page follows the page at a position. */
export async function hasTiffPageAfter(window: FileWindow, layout: TiffLayout, at: number): Promise<boolean> {
  const start = await window.read(at, layout.countBytes);
  const end = start === undefined ? 0 : at + layout.countBytes + layout.count(start) * layout.entryBytes;
  const next = end === 0 ? undefined : await window.read(end, layout.placeBytes);
  return next !== undefined && layout.place(next) !== 0;
}

/** Reads at most `most` whole numbers of a tag. A tag that is absent or of another type has none. */
export async function tiffNumbers(
  window: FileWindow,
  { isLittle }: TiffLayout,
  entry: TiffEntry | undefined,
  most = 8,
): Promise<number[]> {
  const bytes = entry === undefined ? undefined : TIFF_TYPE_BYTES.get(entry.type);
  if (entry === undefined || bytes === undefined || !WHOLE_TYPES.has(entry.type)) return [];
  const count = Math.min(entry.count, most);
  const values = await window.readAll(entry.at, bytes * count);
  if (values === undefined) return [];
  return Array.from({ length: count }, (_, index) => {
    const value = values.subarray(index * bytes, (index + 1) * bytes);
    if (bytes === 8) return Number(isLittle ? value.readBigUInt64LE() : value.readBigUInt64BE());
    return isLittle ? value.readUIntLE(0, bytes) : value.readUIntBE(0, bytes);
  });
}

/** The types of whole numbers: BYTE, SHORT, LONG, UNDEFINED, SLONG, IFD, LONG8, SLONG8 and IFD8. */
const WHOLE_TYPES: ReadonlySet<number> = new Set([1, 3, 4, 7, 9, 13, 16, 17, 18]);

function entryIn(bytes: Buffer, layout: TiffLayout, entryAt: number): TiffEntry {
  const short = (at: number) => (layout.isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const [type, count] = [short(2), layout.place(bytes.subarray(4))];
  const valueAt = 4 + layout.placeBytes;
  const isInline = (TIFF_TYPE_BYTES.get(type) ?? 1) * count <= layout.placeBytes;
  return { tag: short(0), type, count, at: isInline ? entryAt + valueAt : layout.place(bytes.subarray(valueAt)) };
}

function layoutOf(header: Buffer): TiffLayout | undefined {
  const order = header.toString('latin1', 0, 2);
  if ((order !== 'II' && order !== 'MM') || header.length < HEADER_BYTES / 2) return undefined;
  const isLittle = order === 'II';
  const short = (bytes: Buffer) => (isLittle ? bytes.readUInt16LE(0) : bytes.readUInt16BE(0));
  const long = (bytes: Buffer) => (isLittle ? bytes.readUInt32LE(0) : bytes.readUInt32BE(0));
  const big = (bytes: Buffer) => Number(isLittle ? bytes.readBigUInt64LE(0) : bytes.readBigUInt64BE(0));
  if (short(header.subarray(2)) !== BIG)
    return { isLittle, firstAt: 4, countBytes: 2, entryBytes: 12, count: short, place: long, placeBytes: 4 };
  if (header.length < HEADER_BYTES) return undefined;
  return { isLittle, firstAt: 8, countBytes: 8, entryBytes: 20, count: big, place: big, placeBytes: 8 };
}
