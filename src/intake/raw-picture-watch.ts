import { Buffer } from 'node:buffer';
import { RAW_TYPE } from '../kinds/picture.ts';

/** Tags of the first directory (TIFF 6.0; TIFF/EP, section 5; DNG 1.7, chapter 4). */
const [SUBFILE_TYPE, PHOTOMETRIC, SUB_DIRECTORIES, DNG_VERSION] = [254, 262, 330, 50_706];
const REDUCED = 1;
/** The values of PHOTOMETRIC in raw pictures: a mosaic of the sensor, and its linear colours. */
const SENSOR_COLOURS: readonly number[] = [32_803, 34_892];

/** Maximum number of entries that are read. No camera writes more. */
const MAX_ENTRIES = 1000;
const HEADER_BYTES = 16;
const BIG = 43;
const LONG = 4;

/**
 * Finds raw pictures of cameras while they are received. They are TIFF files whose first page is only a small preview.
 * The tags that show this may be anywhere in the file, often at its end.
 */
export class RawPictureWatch {
  #position = 0;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #wanted: { start: number; bytes: Buffer } | undefined;
  #isKnown = false;

  /** Must be called for each chunk of the file, in order. */
  see(chunk: Buffer): void {
    if (this.#position < HEADER_BYTES) {
      chunk.copy(this.#header, this.#position);
      if (!this.#isKnown && this.#position + chunk.length >= HEADER_BYTES) this.#find();
    }
    const wanted = this.#wanted;
    if (wanted !== undefined) copyAt(chunk, this.#position, wanted.bytes, wanted.start);
    this.#position += chunk.length;
  }

  /** Returns the type of a raw picture after the last chunk, or undefined for any other file. */
  get type(): string | undefined {
    return this.#wanted === undefined ? undefined : rawType(this.#header, this.#wanted.bytes);
  }

  #find(): void {
    this.#isKnown = true;
    const { layout, first } = layoutOf(this.#header);
    this.#wanted = { start: first, bytes: Buffer.alloc(layout.countBytes + MAX_ENTRIES * layout.entryBytes) };
    // The directory may begin within the header.
    copyAt(this.#header, 0, this.#wanted.bytes, first);
  }
}

/** Returns the type of a raw picture if the first bytes of a TIFF contain its tags, otherwise undefined. */
export function rawTypeOf(head: Buffer): string | undefined {
  const watch = new RawPictureWatch();
  watch.see(head);
  return watch.type;
}

/** Like `RawPictureWatch`, for a stored TIFF. `readAt` returns fewer bytes at the end of the file. */
export async function rawTypeOfStored(
  readAt: (start: number, byteCount: number) => Promise<Buffer>,
): Promise<string | undefined> {
  const header = await readAt(0, HEADER_BYTES);
  if (header.length < HEADER_BYTES) return undefined;
  const { layout, first } = layoutOf(header);
  const directory = Buffer.alloc(layout.countBytes + MAX_ENTRIES * layout.entryBytes);
  (await readAt(first, directory.length)).copy(directory);
  return rawType(header, directory);
}

/** Copies the part of `chunk` that overlaps `target`. Both positions are offsets in the file. */
function copyAt(chunk: Buffer, position: number, target: Buffer, start: number): void {
  const from = Math.max(position, start);
  const to = Math.min(position + chunk.length, start + target.length);
  if (from < to) chunk.copy(target, from - start, from - position, to - position);
}

interface Layout {
  readonly countBytes: number;
  readonly entryBytes: number;
  readonly valueAt: number;
  readonly isLittle: boolean;
}

function layoutOf(header: Buffer): { layout: Layout; first: number } {
  const isLittle = header.toString('latin1', 0, 2) === 'II';
  const isBig = short(header, 2, isLittle) === BIG;
  if (!isBig)
    return {
      layout: { countBytes: 2, entryBytes: 12, valueAt: 8, isLittle },
      first: isLittle ? header.readUInt32LE(4) : header.readUInt32BE(4),
    };
  const first = Number(isLittle ? header.readBigUInt64LE(8) : header.readBigUInt64BE(8));
  return { layout: { countBytes: 8, entryBytes: 20, valueAt: 12, isLittle }, first };
}

function rawType(header: Buffer, directory: Buffer): string | undefined {
  const { layout } = layoutOf(header);
  const { countBytes, entryBytes, valueAt, isLittle } = layout;
  // The count of a BigTIFF has 8 bytes, of which only the lower two can matter.
  const count = short(directory, isLittle ? 0 : countBytes - 2, isLittle);
  const values = new Map<number, number>();
  for (let index = 0; index < Math.min(count, MAX_ENTRIES); index++) {
    const entry = directory.subarray(countBytes + index * entryBytes, countBytes + (index + 1) * entryBytes);
    const [tag, type] = [short(entry, 0, isLittle), short(entry, 2, isLittle)];
    values.set(tag, type === LONG && !isLittle ? entry.readUInt32BE(valueAt) : short(entry, valueAt, isLittle));
  }
  if (values.has(DNG_VERSION)) return 'image/x-adobe-dng';
  const isPreview = ((values.get(SUBFILE_TYPE) ?? 0) & REDUCED) !== 0 && values.has(SUB_DIRECTORIES);
  return isPreview || SENSOR_COLOURS.includes(values.get(PHOTOMETRIC) ?? 0) ? RAW_TYPE : undefined;
}

function short(bytes: Buffer, at: number, isLittle: boolean): number {
  return isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
}
