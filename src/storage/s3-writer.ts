import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { GatheredChunks } from './gathered-chunks.ts';
import { storageUnavailable } from './file-errors.ts';
import { asServiceError, isPassing, isUnknownUpload } from './s3-errors.ts';
import { hasEnded } from './s3-parts.ts';
import { abortUnfinished, abortUpload } from './s3-unfinished.ts';
import type { ObjectWriter } from './storage.ts';

/** Size of a part. S3 allows 10,000 parts, so an object can have 78 GiB. */
const PART_BYTES = 8 * 1024 * 1024;
const MAX_PARTS_IN_FLIGHT = 2;

/** The client of a failed upload waits for its answer during this time. */
const UNDO_MS = 10_000;

/** The destination of an object. */
export interface S3Target {
  client: S3Client;
  bucket: string;
  /** The whole key, including the prefix of the storage. */
  name: string;
  /** True if the parts have CRC-32 checksums. The server must know this when the upload is created. */
  checksums: boolean;
}

/**
 * Writes one object to S3: with one PutObject if it fits into one part, otherwise as a multipart upload. At most three
 * parts are in memory: two in flight and one being collected.
 */
export class S3Writer implements ObjectWriter {
  readonly #target: S3Target;
  /** Metadata of the object. It identifies our object if the answer of the server was lost. */
  readonly #mark = randomUUID();
  readonly #cut = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #parts: CompletedPart[] = [];
  readonly #spare: Buffer[] = [];
  readonly #gathered = new GatheredChunks();
  #sentParts = 0;
  #uploadId: Promise<string> | undefined;
  #failure: { error: unknown } | undefined;
  #commitTried = false;
  #committed = false;
  #discarded: Promise<void> | undefined;

  constructor(target: S3Target) {
    this.#target = target;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#throwIfEnded();
    for (let rest = chunk; rest.length > 0;) {
      const taken = rest.subarray(0, PART_BYTES - this.#gathered.bytes);
      this.#gathered.add(taken);
      rest = rest.subarray(taken.length);
      if (this.#gathered.bytes === PART_BYTES) await this.#sendGathered();
    }
  }

  async commit(): Promise<void> {
    this.#throwIfEnded();
    try {
      await (this.#sentParts === 0 ? this.#putWhole() : this.#complete());
    } catch (error) {
      const isInDoubt = this.#commitTried && (isPassing(error) || isUnknownUpload(error));
      const signal = AbortSignal.timeout(UNDO_MS);
      if (!isInDoubt || !(await this.#isThere(signal).catch(() => false)))
        throw (await this.#wasAborted(signal)) ? storageUnavailable(error) : asServiceError(error);
    }
    this.#committed = true;
  }

  async discard(): Promise<void> {
    if (!this.#committed) await (this.#discarded ??= this.#undo());
  }

  async #putWhole(): Promise<void> {
    const body = Buffer.concat(this.#gathered.take());
    this.#commitTried = true;
    await this.#target.client.send(
      new PutObjectCommand({ ...this.#address(), Body: body, Metadata: { writer: this.#mark } }),
    );
  }

  async #complete(): Promise<void> {
    if (this.#gathered.bytes > 0) await this.#sendGathered();
    await Promise.all(this.#inFlight);
    this.#throwIfEnded();
    const uploadId = await this.#begin();
    this.#parts.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    this.#commitTried = true;
    await this.#target.client.send(
      new CompleteMultipartUploadCommand({
        ...this.#address(),
        UploadId: uploadId,
        MultipartUpload: { Parts: this.#parts },
      }),
    );
  }

  /** Resolves when the next part may be collected, which can be before this one has arrived. */
  async #sendGathered(): Promise<void> {
    while (this.#inFlight.size >= MAX_PARTS_IN_FLIGHT) await Promise.race(this.#inFlight);
    this.#throwIfEnded();
    const part = this.#takePart();
    const sending = this.#sendPart(++this.#sentParts, part)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#inFlight.delete(sending);
        if (part.length === PART_BYTES) this.#spare.push(part);
      });
    this.#inFlight.add(sending);
  }

  async #sendPart(number: number, body: Buffer): Promise<void> {
    const uploadId = await this.#begin();
    const part = new UploadPartCommand({ ...this.#address(), UploadId: uploadId, PartNumber: number, Body: body });
    const { ETag, ChecksumCRC32 } = await this.#target.client.send(part, { abortSignal: this.#cut.signal });
    if (ETag === undefined) throw new Error('S3 gave no ETag for a part');
    this.#parts.push({ PartNumber: number, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) });
  }

  #begin(): Promise<string> {
    this.#uploadId ??= this.#createUpload();
    return this.#uploadId;
  }

  async #createUpload(): Promise<string> {
    const { client, checksums } = this.#target;
    const algorithm = checksums ? { ChecksumAlgorithm: 'CRC32' as const } : {};
    const begun = await client.send(
      new CreateMultipartUploadCommand({ ...this.#address(), Metadata: { writer: this.#mark }, ...algorithm }),
    );
    if (begun.UploadId === undefined) throw new Error('S3 gave no id for a multipart upload');
    return begun.UploadId;
  }

  /**
   * Aborts the upload after all running parts, because a part that arrives later would stay. `removeAll` removes the
   * rest.
   */
  async #undo(): Promise<void> {
    this.#cut.abort();
    this.#gathered.take();
    await Promise.all(this.#inFlight);
    const signal = AbortSignal.timeout(UNDO_MS);
    await this.#endUpload(signal).catch(() => undefined);
    if (!this.#commitTried || !(await this.#isThere(signal).catch(() => false))) return;
    await this.#target.client
      .send(new DeleteObjectCommand(this.#address()), { abortSignal: signal })
      .catch(() => undefined);
  }

  async #endUpload(signal: AbortSignal): Promise<void> {
    if (this.#uploadId === undefined) return;
    const { client, bucket, name } = this.#target;
    const uploadId = await this.#uploadId.catch(() => undefined);
    if (uploadId !== undefined) await abortUpload(client, { ...this.#address(), UploadId: uploadId }, signal);
    // The upload may have been created, although its answer was lost.
    else await abortUnfinished(client, bucket, name, { isOwn: (other) => other === name, signal });
  }

  /** True if somebody else has aborted the multipart upload, for example because its upload was cancelled. */
  async #wasAborted(signal: AbortSignal): Promise<boolean> {
    const uploadId = await this.#uploadId?.catch(() => undefined);
    if (!this.#commitTried || uploadId === undefined) return false;
    return await hasEnded(this.#target.client, { ...this.#address(), UploadId: uploadId }, signal);
  }

  /** True if this writer wrote the object. */
  async #isThere(signal: AbortSignal): Promise<boolean> {
    const { Metadata } = await this.#target.client.send(new HeadObjectCommand(this.#address()), {
      abortSignal: signal,
    });
    return Metadata?.['writer'] === this.#mark;
  }

  #address(): { Bucket: string; Key: string } {
    return { Bucket: this.#target.bucket, Key: this.#target.name };
  }

  /**
   * Reuses the memory of an earlier part. New memory for each part costs a third more CPU, and twice the memory until
   * garbage collection.
   */
  #takePart(): Buffer {
    const memory = this.#spare.pop() ?? Buffer.allocUnsafeSlow(PART_BYTES);
    let length = 0;
    for (const chunk of this.#gathered.take()) length += chunk.copy(memory, length);
    return memory.subarray(0, length);
  }

  #throwIfEnded(): void {
    if (this.#committed || this.#discarded !== undefined) throw new Error('the object has already ended');
    if (this.#failure !== undefined) throw asServiceError(this.#failure.error);
  }
}
