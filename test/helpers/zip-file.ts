import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of an archive, with possible mistakes. */
export interface ZipEntry {
  name: string;
  bytes: Buffer | string;
  isStored?: boolean;
  isEncrypted?: boolean;
  /** Replaces the true size in the directory at the end of the archive. */
  claimedBytes?: number;
  claimedCrc?: number;
  /** Replaces the packed bytes. */
  packed?: Buffer;
}

const ENCRYPTED = 1;
const DEFLATED = 8;

/** Makes a zip archive of these entries, in their order (PKWARE's APPNOTE, section 4.3). */
export function zipFile(entries: readonly ZipEntry[], claimedEntries = entries.length): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const bytes = Buffer.from(entry.bytes);
    const packed = entry.packed ?? (entry.isStored === true ? bytes : deflateRawSync(bytes));
    const name = Buffer.from(entry.name);
    const common = commonFields(entry, bytes, packed, name.length);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.alloc(2), name, packed]);
    local.writeUInt16LE(0, 28);
    files.push(local);
    const tail = Buffer.alloc(16);
    tail.writeUInt32LE(offset, 12);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, tail.subarray(0, 16), name]),
    );
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(claimedEntries, 8);
  end.writeUInt16LE(claimedEntries, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, listed, end]);
}

/**
 * Makes the fields that both headers of an entry have, from the version needed up to the length of the name. Two bytes
 * for the extra field follow.
 */
function commonFields(entry: ZipEntry, bytes: Buffer, packed: Buffer, nameLength: number): Buffer {
  const fields = Buffer.alloc(24);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(entry.isEncrypted === true ? ENCRYPTED : 0, 2);
  fields.writeUInt16LE(entry.isStored === true ? 0 : DEFLATED, 4);
  fields.writeUInt32LE(entry.claimedCrc ?? crc32(bytes), 10);
  fields.writeUInt32LE(packed.length, 14);
  fields.writeUInt32LE(entry.claimedBytes ?? bytes.length, 18);
  fields.writeUInt16LE(nameLength, 22);
  return fields;
}
