/** How the bytes of a file are packed (APPNOTE 4.4.5). */
export const METHOD = { stored: 0, deflated: 8 } as const;

/** A file of an archive, before its bytes are read. */
export interface ZipMember {
  /** The path in the archive as UTF-8, with slashes between folders. */
  readonly name: Buffer;
  readonly modifiedAt: Date;
  readonly method: (typeof METHOD)[keyof typeof METHOD];
  /** True if a size may be 4 GiB or more. */
  readonly isLarge: boolean;
}

/** Facts about a file that are known after its bytes were read. */
export interface ZipSizes {
  readonly crc: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
}

/** The sizes and the checksum follow the bytes (bit 3), and names are UTF-8 (bit 11). */
const FLAGS = 0b1000_0000_1000;

/** A field has this value if its number is in the extra field (zip64). */
export const IN_EXTRA_FIELD = 0xffffffff;

const MOST_ENTRIES = 0xffff;
const VERSION = 20;
const VERSION_ZIP64 = 45;
const ZIP64_ID = 0x0001;
const TIMESTAMP_ID = 0x5455;

/** The attributes are those of Unix, so that they can contain the permissions `rw-r--r--`. */
const MADE_BY = 0x0300 | VERSION_ZIP64;
const ATTRIBUTES = 0o100644 * 0x10000;

/** Returns the header before the bytes of a file (APPNOTE 4.3.7). */
export function localHeader(member: ZipMember): Buffer {
  const sizes = member.isLarge ? IN_EXTRA_FIELD : 0;
  const extra = Buffer.concat([...(member.isLarge ? [zip64Field([0, 0])] : []), timestampField(member.modifiedAt)]);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  writeCommon(head, 4, member, { crc: 0, packedBytes: sizes, sizeBytes: sizes });
  head.writeUInt16LE(member.name.length, 26);
  head.writeUInt16LE(extra.length, 28);
  return Buffer.concat([head, member.name, extra]);
}

/** Returns the checksum and the sizes, which follow the bytes of a file (APPNOTE 4.3.9). */
export function dataDescriptor({ isLarge }: ZipMember, { crc, packedBytes, sizeBytes }: ZipSizes): Buffer {
  const descriptor = Buffer.alloc(isLarge ? 24 : 16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  descriptor.writeUInt32LE(crc, 4);
  if (isLarge) {
    descriptor.writeBigUInt64LE(BigInt(packedBytes), 8);
    descriptor.writeBigUInt64LE(BigInt(sizeBytes), 16);
  } else {
    descriptor.writeUInt32LE(packedBytes, 8);
    descriptor.writeUInt32LE(sizeBytes, 12);
  }
  return descriptor;
}

/** Returns the entry of a file in the final directory (APPNOTE 4.3.12). `offset` is the place of its local header. */
export function directoryEntry(member: ZipMember, sizes: ZipSizes, offset: number): Buffer {
  const { crc, packedBytes, sizeBytes } = sizes;
  // The order of the numbers is fixed. A number is present only if its field refers to it.
  const large = [...(member.isLarge ? [sizeBytes, packedBytes] : []), ...(offset >= IN_EXTRA_FIELD ? [offset] : [])];
  const extra = Buffer.concat([...(large.length > 0 ? [zip64Field(large)] : []), timestampField(member.modifiedAt)]);
  const shown = member.isLarge
    ? { crc, packedBytes: IN_EXTRA_FIELD, sizeBytes: IN_EXTRA_FIELD }
    : { crc, packedBytes, sizeBytes };
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(MADE_BY, 4);
  writeCommon(entry, 6, member, shown);
  entry.writeUInt16LE(member.name.length, 28);
  entry.writeUInt16LE(extra.length, 30);
  entry.writeUInt32LE(ATTRIBUTES, 38);
  entry.writeUInt32LE(Math.min(offset, IN_EXTRA_FIELD), 42);
  return Buffer.concat([entry, member.name, extra]);
}

/** Returns the end of an archive, with its zip64 form if a number needs it (APPNOTE 4.3.14 to 4.3.16). */
export function endOfDirectory(entries: number, directoryBytes: number, offset: number): Buffer {
  const isLarge = entries >= MOST_ENTRIES || directoryBytes >= IN_EXTRA_FIELD || offset >= IN_EXTRA_FIELD;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(entries, MOST_ENTRIES), 8);
  end.writeUInt16LE(Math.min(entries, MOST_ENTRIES), 10);
  end.writeUInt32LE(Math.min(directoryBytes, IN_EXTRA_FIELD), 12);
  end.writeUInt32LE(Math.min(offset, IN_EXTRA_FIELD), 16);
  return isLarge ? Buffer.concat([zip64End(entries, directoryBytes, offset), end]) : end;
}

function zip64End(entries: number, directoryBytes: number, offset: number): Buffer {
  const end = Buffer.alloc(56);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(BigInt(end.length - 12), 4);
  end.writeUInt16LE(MADE_BY, 12);
  end.writeUInt16LE(VERSION_ZIP64, 14);
  end.writeBigUInt64LE(BigInt(entries), 24);
  end.writeBigUInt64LE(BigInt(entries), 32);
  end.writeBigUInt64LE(BigInt(directoryBytes), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + directoryBytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end, locator]);
}

/** Writes the fields that both headers have, from the needed version to the size. */
function writeCommon(head: Buffer, at: number, { method, modifiedAt, isLarge }: ZipMember, sizes: ZipSizes): void {
  head.writeUInt16LE(isLarge ? VERSION_ZIP64 : VERSION, at);
  head.writeUInt16LE(FLAGS, at + 2);
  head.writeUInt16LE(method, at + 4);
  head.writeUInt32LE(dosTime(modifiedAt), at + 6);
  head.writeUInt32LE(sizes.crc, at + 10);
  head.writeUInt32LE(sizes.packedBytes, at + 14);
  head.writeUInt32LE(sizes.sizeBytes, at + 18);
}

function zip64Field(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + numbers.length * 8);
  field.writeUInt16LE(ZIP64_ID, 0);
  field.writeUInt16LE(numbers.length * 8, 2);
  for (const [index, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + index * 8);
  return field;
}

/** Returns a field with the time in seconds since 1970, because the time of MS-DOS has no time zone. */
function timestampField(time: Date): Buffer {
  const field = Buffer.alloc(9);
  field.writeUInt16LE(TIMESTAMP_ID, 0);
  field.writeUInt16LE(5, 2);
  field.writeUInt8(1, 4);
  field.writeInt32LE(Math.min(Math.floor(time.getTime() / 1000), 0x7fffffff), 5);
  return field;
}

/** Returns time and date in the form of MS-DOS: in steps of two seconds, from 1980 to 2107. */
function dosTime(time: Date): number {
  const years = Math.min(Math.max(0, time.getUTCFullYear() - 1980), 127);
  const date = (years << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
  const clock = (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1);
  return date * 0x10000 + clock;
}
