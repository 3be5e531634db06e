import { crc32 } from 'node:zlib';

/** The bytes of an object or of a part. They are kept as they arrived, because copies of large files cost much time. */
export class S3Bytes {
  readonly chunks: readonly Buffer[];
  readonly length: number;
  #etag: string | undefined;

  /** @param etag default: a checksum of the bytes. */
  constructor(chunks: readonly Buffer[], etag?: string) {
    this.chunks = chunks;
    this.length = chunks.reduce((sum, { length }) => sum + length, 0);
    this.#etag = etag;
  }

  /** Returns the object of these parts. Like in S3, its ETag depends on those of the parts. */
  static join(parts: readonly S3Bytes[]): S3Bytes {
    const etag = crc32(parts.map((part) => part.etag).join());
    return new S3Bytes(
      parts.flatMap(({ chunks }) => chunks),
      `${etag.toString(16)}-${parts.length}`,
    );
  }

  /** Without quotes. No MD5 as in S3, which takes seven times as long. */
  get etag(): string {
    const sum = () => this.chunks.reduce((before, chunk) => crc32(chunk, before), 0);
    this.#etag ??= sum().toString(16) + this.length.toString(16);
    return this.#etag;
  }

  /** Returns the bytes from `start` to before `end`. */
  slice(start: number, end: number): S3Bytes {
    const found: Buffer[] = [];
    let position = 0;
    for (const chunk of this.chunks) {
      const part = chunk.subarray(Math.max(0, start - position), Math.max(0, end - position));
      if (part.length > 0) found.push(part);
      position += chunk.length;
    }
    return new S3Bytes(found);
  }

  equals(bytes: Buffer): boolean {
    let position = 0;
    const isEqual = this.chunks.every((chunk) => chunk.equals(bytes.subarray(position, (position += chunk.length))));
    return isEqual && position === bytes.length;
  }

  toString(): string {
    return Buffer.concat(this.chunks).toString();
  }
}
