import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type MultipartUpload,
  type Part,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import {
  PartsRefusedError,
  type CopiedRange,
  type DirectParts,
  type DirectUpload,
  type PartToSend,
  type SignedPart,
  type StoredPart,
} from './direct-parts.ts';
import { storageUnavailable } from './file-errors.ts';
import {
  asServiceError,
  isNotImplemented,
  isPassing,
  isUnknownUpload,
  isUnsupportedCopy,
  nameOf,
} from './s3-errors.ts';
import { hasEnded, hasNoParts, pagesOfParts, type UploadAddress } from './s3-parts.ts';
import { abortUpload } from './s3-unfinished.ts';

/**
 * An address is valid for this time: long enough for slow clients, and short if it leaks. A client asks for new ones.
 */
const VALID_SECONDS = 3_600;

/** Errors of S3 about the parts themselves. */
const REFUSALS: ReadonlySet<string> = new Set(['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall', 'EntityTooLarge']);

/** The members of the driver that the parts of direct uploads use. */
export interface S3DirectParts {
  client: S3Client;
  /** Signs addresses that clients can reach, and sends nothing. It must add no checksum: it does not see the bytes. */
  signer: S3Client;
  bucket: string;
  /** Returns the object name of a key. */
  nameOf: (key: string) => string;
}

/** Multipart uploads of S3 whose parts come from clients. */
export class S3Direct implements DirectParts {
  readonly #parts: S3DirectParts;

  constructor(parts: S3DirectParts) {
    this.#parts = parts;
  }

  async begin(key: string): Promise<string> {
    const { client, bucket, nameOf: nameOfKey } = this.#parts;
    const command = new CreateMultipartUploadCommand({ Bucket: bucket, Key: nameOfKey(key) });
    const { UploadId } = await client.send(command).catch(rethrow);
    if (UploadId === undefined) throw new Error('S3 gave no id for a multipart upload');
    return UploadId;
  }

  async find(key: string, except?: string): Promise<{ uploadId: string } | 'none' | 'unknown'> {
    const { client, bucket, nameOf: nameOfKey } = this.#parts;
    const name = nameOfKey(key);
    try {
      const command = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: name });
      const { Uploads = [] } = await client.send(command);
      const own = Uploads.filter(({ Key, UploadId }) => Key === name && UploadId !== undefined && UploadId !== except);
      const oldest = own.sort((a, b) => timeOf(a) - timeOf(b))[0]?.UploadId;
      return oldest === undefined ? 'none' : { uploadId: oldest };
    } catch (error) {
      if (isNotImplemented(error)) return 'unknown';
      throw asServiceError(error);
    }
  }

  async put(upload: DirectUpload, number: number, bytes: Buffer): Promise<void> {
    const command = new UploadPartCommand({ ...this.#addressOf(upload), PartNumber: number, Body: bytes });
    await this.#parts.client.send(command).catch(rethrowOfPart);
  }

  async copy(upload: DirectUpload, number: number, { key, start, end }: CopiedRange): Promise<boolean> {
    const { client, bucket, nameOf: nameOfKey } = this.#parts;
    const command = new UploadPartCopyCommand({
      ...this.#addressOf(upload),
      PartNumber: number,
      CopySource: encodeURI(`${bucket}/${nameOfKey(key)}`),
      CopySourceRange: `bytes=${start}-${end}`,
    });
    try {
      await client.send(command);
      return true;
    } catch (error) {
      if (isUnsupportedCopy(error)) return false;
      return rethrowOfPart(error);
    }
  }

  async sign(upload: DirectUpload, parts: readonly PartToSend[]): Promise<SignedPart[]> {
    const expiresAt = new Date(Date.now() + VALID_SECONDS * 1000);
    return await Promise.all(
      parts.map(async ({ number, sizeBytes }) => {
        // The length is a signed header, so the bucket rejects a longer part.
        const command = new UploadPartCommand({
          ...this.#addressOf(upload),
          PartNumber: number,
          ContentLength: sizeBytes,
        });
        const url = await getSignedUrl(this.#parts.signer, command, { expiresIn: VALID_SECONDS });
        return { number, url, headers: {}, expiresAt };
      }),
    );
  }

  async list(upload: DirectUpload): Promise<StoredPart[] | undefined> {
    const found: StoredPart[] = [];
    try {
      const pages = pagesOfParts(this.#parts.client, this.#addressOf(upload));
      for await (const parts of pages) found.push(...parts.map(toStoredPart));
    } catch (error) {
      if (hasNoParts(error)) return undefined;
      throw asServiceError(error);
    }
    return found.sort((a, b) => a.number - b.number);
  }

  async complete(upload: DirectUpload, parts: readonly Pick<StoredPart, 'number' | 'etag'>[]): Promise<boolean> {
    const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: `"${etag}"` }));
    const command = new CompleteMultipartUploadCommand({ ...this.#addressOf(upload), MultipartUpload: { Parts } });
    try {
      await this.#parts.client.send(command);
      return true;
    } catch (error) {
      if (isUnknownUpload(error)) return false;
      if (REFUSALS.has(nameOf(error))) throw new PartsRefusedError(nameOf(error), { cause: error });
      if (isPassing(error) && (await hasEnded(this.#parts.client, this.#addressOf(upload)))) return false;
      throw asServiceError(error);
    }
  }

  async abort(upload: DirectUpload): Promise<void> {
    await abortUpload(this.#parts.client, this.#addressOf(upload)).catch(rethrow);
  }

  #addressOf({ key, uploadId }: DirectUpload): UploadAddress {
    return { Bucket: this.#parts.bucket, Key: this.#parts.nameOf(key), UploadId: uploadId };
  }
}

function timeOf({ Initiated }: MultipartUpload): number {
  return Initiated?.getTime() ?? 0;
}

function toStoredPart({ PartNumber, Size, ETag, LastModified }: Part): StoredPart {
  return {
    number: PartNumber ?? 0,
    sizeBytes: Size ?? 0,
    etag: (ETag ?? '').replaceAll('"', ''),
    storedAt: LastModified ?? new Date(0),
  };
}

function rethrowOfPart(error: unknown): never {
  throw isUnknownUpload(error) ? storageUnavailable(error) : asServiceError(error);
}

function rethrow(error: unknown): never {
  throw asServiceError(error);
}
