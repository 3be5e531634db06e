import { Readable } from 'node:stream';
import S3Error from 's3rver/lib/models/error.js';
import S3Object from 's3rver/lib/models/object.js';
import { S3Bytes } from './s3-bytes.ts';

interface Stored {
  bytes: S3Bytes;
  metadata: Readonly<Record<string, unknown>>;
  modifiedAt: Date;
}

interface Unfinished {
  key: string;
  metadata: Readonly<Record<string, unknown>>;
  begunAt: Date;
  parts: Map<number, { bytes: S3Bytes; modifiedAt: Date }>;
}

/**
 * The store of s3rver in memory: one bucket, in which an object exists completely or not at all, as in S3. Its own
 * store on disk answers before the last bytes are written, and fails if folders are created and removed meanwhile.
 */
export class S3Memory {
  readonly bucket: string;
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, Unfinished>();
  /** S3 accepts no smaller part, except for the last one. */
  leastPartBytes = 5 * 1024 * 1024;
  readonly #claimed = new Set<string>();

  constructor(bucket: string) {
    this.bucket = bucket;
  }

  /** False if there is an object of that name, or another request is about to create one. */
  claim(key: string): boolean {
    if (this.objects.has(key) || this.#claimed.has(key)) return false;
    this.#claimed.add(key);
    return true;
  }

  async getBucket(name: string): Promise<object | null> {
    return name === this.bucket ? { name, creationDate: new Date() } : null;
  }

  async putBucket(): Promise<void> {}

  async getSubresource(): Promise<null> {
    return null;
  }

  async existsObject(_bucket: string, key: string): Promise<boolean> {
    return this.objects.has(key);
  }

  async getObject(bucket: string, key: string, options: { start?: number; end?: number }): Promise<S3Object | null> {
    const stored = this.objects.get(key);
    if (stored === undefined) return null;
    const { bytes, metadata, modifiedAt } = stored;
    const start = options.start ?? 0;
    const end = Math.min(options.end ?? Infinity, bytes.length - 1);
    const content = Readable.from(bytes.slice(start, end + 1).chunks);
    const known = {
      etag: `"${bytes.etag}"`,
      'last-modified': modifiedAt.toUTCString(),
      'content-length': bytes.length,
    };
    const object = new S3Object(bucket, key, content, { ...metadata, ...known });
    if (options.start !== undefined) object.range = { start, end };
    return object;
  }

  async putObject({ key, content, metadata }: S3Object): Promise<{ size: number; md5: string }> {
    return this.#store(key, await bytesOf(content), metadata);
  }

  async copyObject(_bucket: string, from: string, _to: string, key: string): Promise<Record<string, unknown>> {
    const stored = this.objects.get(from);
    if (stored === undefined) throw new S3Error('NoSuchKey', 'The specified key does not exist.');
    const copy = { ...stored, modifiedAt: this.#now() };
    this.objects.set(key, copy);
    return { 'last-modified': copy.modifiedAt.toUTCString(), etag: `"${copy.bytes.etag}"` };
  }

  async deleteObject(_bucket: string, key: string): Promise<void> {
    this.#claimed.delete(key);
    this.objects.delete(key);
  }

  async initiateUpload(
    _bucket: string,
    key: string,
    uploadId: string,
    metadata: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    this.uploads.set(uploadId, { key, metadata, begunAt: this.#now(), parts: new Map() });
  }

  async putPart(
    _bucket: string,
    uploadId: string,
    number: string,
    content: Readable,
  ): Promise<{ size: number; md5: string }> {
    const bytes = await bytesOf(content);
    this.#upload(uploadId).parts.set(Number(number), { bytes, modifiedAt: this.#now() });
    return { size: bytes.length, md5: bytes.etag };
  }

  /** Copies a range into a part. Like S3, it refuses an object that is smaller than a part. */
  copyPart(uploadId: string, number: number, from: string, { start, end }: { start: number; end: number }): S3Bytes {
    const whole = this.objects.get(from)?.bytes;
    if (whole === undefined || whole.length < this.leastPartBytes || end >= whole.length)
      throw new Error(`no such range of ${from}`);
    const bytes = whole.slice(start, end + 1);
    this.#upload(uploadId).parts.set(number, { bytes, modifiedAt: this.#now() });
    return bytes;
  }

  async putObjectMultipart(
    _bucket: string,
    uploadId: string,
    parts: readonly { number: number; etag: string }[],
  ): Promise<{ size: number; md5: string }> {
    const { key, metadata, parts: stored } = this.#upload(uploadId);
    requireRightParts(parts, stored, this.leastPartBytes);
    const bytes = S3Bytes.join(parts.flatMap(({ number }) => stored.get(number)?.bytes ?? []));
    this.uploads.delete(uploadId);
    return this.#store(key, bytes, metadata);
  }

  /** Keys of all objects, in order. */
  keys(): string[] {
    return [...this.objects.keys()].sort();
  }

  #store(key: string, bytes: S3Bytes, metadata: Readonly<Record<string, unknown>>): { size: number; md5: string } {
    this.objects.set(key, { bytes, metadata, modifiedAt: this.#now() });
    return { size: bytes.length, md5: bytes.etag };
  }

  #upload(uploadId: string): Unfinished {
    const upload = this.uploads.get(uploadId);
    if (upload === undefined) throw new S3Error('NoSuchUpload', 'The specified multipart upload does not exist.');
    return upload;
  }

  /** S3 counts whole seconds. */
  #now(): Date {
    return new Date(Math.floor(Date.now() / 1000) * 1000);
  }
}

async function bytesOf(content: Readable): Promise<S3Bytes> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk as Buffer);
  return new S3Bytes(chunks);
}

function requireRightParts(
  parts: readonly { number: number; etag: string }[],
  stored: ReadonlyMap<number, { bytes: S3Bytes }>,
  leastPartBytes: number,
): void {
  for (const [index, { number, etag }] of parts.entries()) {
    const bytes = stored.get(number)?.bytes;
    if (bytes === undefined || bytes.etag !== etag) throw new S3Error('InvalidPart', 'A part could not be found.');
    if (number <= (parts[index - 1]?.number ?? 0)) throw new S3Error('InvalidPartOrder', 'The parts are not in order.');
    if (index < parts.length - 1 && bytes.length < leastPartBytes)
      throw new S3Error('EntityTooSmall', 'A part is too small.');
  }
}
