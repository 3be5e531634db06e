import { Buffer } from 'node:buffer';

/** Text tags to write. Other encoders reject or repair unusual values that cameras write. */
export interface ExifTexts {
  make?: string;
  model?: string;
  /** Time of the last change of the file. */
  changed?: string;
  changedOffset?: string;
  taken?: string;
  takenOffset?: string;
  digitized?: string;
}

/** A numerator and a denominator. */
export type Quotient = readonly [number, number];

/** Numbers to write, also with zero denominators, by tag, in the table of the photo or of the position. */
export interface ExifNumbers {
  photo?: Readonly<Record<number, Quotient | number>>;
  gps?: Readonly<Record<number, readonly Quotient[] | string | number>>;
}

const MAKE = 0x010f;
const MODEL = 0x0110;
const CHANGED = 0x0132;
const EXIF_IFD = 0x8769;
const GPS_IFD = 0x8825;
const TAKEN = 0x9003;
const DIGITIZED = 0x9004;
const CHANGED_OFFSET = 0x9010;
const TAKEN_OFFSET = 0x9011;

const ASCII = 2;
const UINT16 = 3;
const UINT32 = 4;
const RATIONAL = 5;
const HEADER_BYTES = 8;

interface Entry {
  tag: number;
  type: number;
  count: number;
  value: Buffer;
}

/** Returns a little-endian EXIF block in the form that JPEG uses. */
export function exifBlock(texts: ExifTexts, numbers: ExifNumbers = {}): Buffer {
  const photo = [
    ...[
      text(TAKEN, texts.taken),
      text(DIGITIZED, texts.digitized),
      text(CHANGED_OFFSET, texts.changedOffset),
      text(TAKEN_OFFSET, texts.takenOffset),
    ].flat(),
    ...entriesOf(numbers.photo ?? {}),
  ];
  const gps = entriesOf(numbers.gps ?? {});
  const image = [text(MAKE, texts.make), text(MODEL, texts.model), text(CHANGED, texts.changed)].flat();
  const pointers = (photoOffset: number, gpsOffset: number): Entry[] => [
    pointer(EXIF_IFD, photoOffset),
    pointer(GPS_IFD, gpsOffset),
  ];
  const photoOffset = HEADER_BYTES + directory([...image, ...pointers(0, 0)], HEADER_BYTES).length;
  const gpsOffset = photoOffset + directory(photo, photoOffset).length;
  return Buffer.concat([
    Buffer.from('Exif\0\0II*\0\u0008\0\0\0', 'latin1'),
    directory([...image, ...pointers(photoOffset, gpsOffset)], HEADER_BYTES),
    directory(photo, photoOffset),
    directory(gps, gpsOffset),
  ]);
}

function pointer(tag: number, offset: number): Entry {
  return { tag, type: UINT32, count: 1, value: uint32(offset) };
}

function entriesOf(values: Readonly<Record<number, Quotient | readonly Quotient[] | string | number>>): Entry[] {
  return Object.entries(values).flatMap(([tag, value]) => {
    if (typeof value === 'string') return text(Number(tag), value);
    if (typeof value === 'number') return { tag: Number(tag), type: UINT16, count: 1, value: uint32(value) };
    const parts = value.flat();
    return { tag: Number(tag), type: RATIONAL, count: parts.length / 2, value: Buffer.concat(parts.map(uint32)) };
  });
}

function text(tag: number, value: string | undefined): Entry[] {
  if (value === undefined) {
    return [];
  }
  const bytes = Buffer.from(`${value}\0`);
  return [{ tag, type: ASCII, count: bytes.length, value: bytes }];
}

/** Makes one directory, followed by the values that are too long for their entries. */
function directory(entries: readonly Entry[], offset: number): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16LE(entries.length);
  const fixed: Buffer[] = [];
  const values: Buffer[] = [];
  let valueOffset = offset + 2 + entries.length * 12 + 4;
  for (const { tag, type, count: length, value } of entries) {
    const entry = Buffer.alloc(12);
    entry.writeUInt16LE(tag, 0);
    entry.writeUInt16LE(type, 2);
    entry.writeUInt32LE(length, 4);
    if (value.length <= 4) {
      value.copy(entry, 8);
    } else {
      entry.writeUInt32LE(valueOffset, 8);
      values.push(value);
      valueOffset += value.length;
    }
    fixed.push(entry);
  }
  return Buffer.concat([count, ...fixed, uint32(0), ...values]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
