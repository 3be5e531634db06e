import { Buffer } from 'node:buffer';
import { GPS, IMAGE, PHOTO } from '../exif-tags.ts';
import type { FileWindow } from './file-window.ts';
import {
  readTiffDirectory,
  readTiffHeader,
  TIFF_TYPE_BYTES,
  tiffNumbers,
  type TiffDirectory,
  type TiffEntry,
  type TiffLayout,
} from './tiff-directory.ts';

/** Maximum length of a value. No fact is longer, so longer values are cut off. */
const MAX_VALUE_BYTES = 256;

const HEADER_BYTES = 8;
const ENTRY_BYTES = 12;
const LONG = 4;

/** A tag with the bytes of its values, in the byte order of the file. */
interface Value {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly bytes: Buffer;
}

/**
 * Collects the EXIF tags of a TIFF into a block like that of a JPEG. The tags are those of the first page, and their
 * values may be anywhere in the file. Returns undefined if there is none. libvips does not read them.
 */
export async function readTiffExif(window: FileWindow): Promise<Buffer | undefined> {
  const header = await readTiffHeader(window);
  if (header === undefined) return undefined;
  const { layout, first } = header;
  const directory = await readTiffDirectory(window, layout, first);
  const { photo: photoTag, gps: gpsTag, ...imageTags } = IMAGE;
  const image = await valuesOf(window, directory, Object.values(imageTags));
  const [photo, gps] = [
    await valuesAt(window, layout, directory.get(photoTag), Object.values(PHOTO)),
    await valuesAt(window, layout, directory.get(gpsTag), Object.values(GPS)),
  ];
  if (image.length + photo.length + gps.length === 0) return undefined;
  const photoAt = HEADER_BYTES + sizeOf(image, 2);
  const gpsAt = photoAt + sizeOf(photo);
  const { isLittle } = layout;
  const pointers = [pointer(photoTag, photoAt, isLittle), pointer(gpsTag, gpsAt, isLittle)];
  return Buffer.concat([
    Buffer.from(isLittle ? 'II*\0\u0008\0\0\0' : 'MM\0*\0\0\0\u0008', 'latin1'),
    written([...image, ...pointers], HEADER_BYTES, isLittle),
    written(photo, photoAt, isLittle),
    written(gps, gpsAt, isLittle),
  ]);
}

async function valuesAt(
  window: FileWindow,
  layout: TiffLayout,
  pointed: TiffEntry | undefined,
  tags: readonly number[],
): Promise<Value[]> {
  const [at] = await tiffNumbers(window, layout, pointed, 1);
  return at === undefined ? [] : await valuesOf(window, await readTiffDirectory(window, layout, at), tags);
}

async function valuesOf(window: FileWindow, directory: TiffDirectory, tags: readonly number[]): Promise<Value[]> {
  const values: Value[] = [];
  for (const tag of tags) {
    const entry = directory.get(tag);
    const size = entry === undefined ? undefined : TIFF_TYPE_BYTES.get(entry.type);
    if (entry === undefined || size === undefined) continue;
    const count = Math.min(entry.count, Math.floor(MAX_VALUE_BYTES / size));
    const bytes = await window.readAll(entry.at, count * size);
    if (bytes !== undefined) values.push({ tag, type: entry.type, count, bytes });
  }
  return values;
}

function pointer(tag: number, at: number, isLittle: boolean): Value {
  const bytes = Buffer.alloc(4);
  if (isLittle) bytes.writeUInt32LE(at);
  else bytes.writeUInt32BE(at);
  return { tag, type: LONG, count: 1, bytes };
}

/** Returns the size of a directory in bytes: of its values, and of `further` entries whose values have four bytes. */
function sizeOf(values: readonly Value[], further = 0): number {
  const outside = values.filter(({ bytes }) => bytes.length > 4).reduce((sum, { bytes }) => sum + bytes.length, 0);
  return 2 + (values.length + further) * ENTRY_BYTES + 4 + outside;
}

function written(values: readonly Value[], offset: number, isLittle: boolean): Buffer {
  const fixed = Buffer.alloc(2 + values.length * ENTRY_BYTES + 4);
  const short = (value: number, at: number) =>
    isLittle ? fixed.writeUInt16LE(value, at) : fixed.writeUInt16BE(value, at);
  const long = (value: number, at: number) =>
    isLittle ? fixed.writeUInt32LE(value, at) : fixed.writeUInt32BE(value, at);
  short(values.length, 0);
  const outside: Buffer[] = [];
  let outsideAt = offset + fixed.length;
  values.forEach(({ tag, type, count, bytes }, index) => {
    const at = 2 + index * ENTRY_BYTES;
    short(tag, at);
    short(type, at + 2);
    long(count, at + 4);
    if (bytes.length <= 4) bytes.copy(fixed, at + 8);
    else {
      long(outsideAt, at + 8);
      outside.push(bytes);
      outsideAt += bytes.length;
    }
  });
  return Buffer.concat([fixed, ...outside]);
}
