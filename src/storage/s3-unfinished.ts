import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type MultipartUpload,
  type S3Client,
} from '@aws-sdk/client-s3';
import { isNotImplemented, isUnknownUpload } from './s3-errors.ts';
import { hasNoParts, pagesOfParts, type UploadAddress } from './s3-parts.ts';

/** Selects the multipart uploads to abort. */
export interface AbortOptions {
  /** True for the object name of an upload of this service. Other uploads are not touched. */
  isOwn: (name: string) => boolean;
  /** Aborts only uploads with no part added since then. */
  before?: Date;
  /** Called with the object name of each upload that is old enough, and the time of its last part. Default: all. */
  mayAbort?: (name: string, modifiedAt: Date) => Promise<boolean>;
  signal?: AbortSignal;
}

/** Aborts one multipart upload. Does nothing if it was already completed or aborted. */
export async function abortUpload(client: S3Client, address: UploadAddress, signal?: AbortSignal): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand(address), untilCut(signal));
  } catch (error) {
    if (!isUnknownUpload(error)) throw error;
  }
}

/**
 * Aborts own multipart uploads whose object name begins with `beginning`, and returns the names. Servers that cannot
 * list multipart uploads end them on their own.
 */
export async function abortUnfinished(
  client: S3Client,
  bucket: string,
  beginning: string,
  options: AbortOptions,
): Promise<string[]> {
  const { isOwn, before, mayAbort, signal } = options;
  const aborted: string[] = [];
  for await (const { Key, UploadId, Initiated } of unfinishedUploads(client, bucket, beginning, signal)) {
    if (Key === undefined || UploadId === undefined || !isOwn(Key)) continue;
    const address = { Bucket: bucket, Key, UploadId };
    if (before !== undefined) {
      const modifiedAt = await lastPartAt(client, address, Initiated, before);
      if (modifiedAt === undefined || (await mayAbort?.(Key, modifiedAt)) === false) continue;
    }
    await abortUpload(client, address, signal);
    aborted.push(Key);
  }
  return aborted;
}

async function* unfinishedUploads(
  client: S3Client,
  bucket: string,
  beginning: string,
  signal?: AbortSignal,
): AsyncIterable<MultipartUpload> {
  let input: ListMultipartUploadsCommandInput | undefined = { Bucket: bucket, Prefix: beginning };
  while (input !== undefined) {
    const page: Page = await client.send(new ListMultipartUploadsCommand(input), untilCut(signal)).catch(noneIfUnknown);
    yield* page.Uploads ?? [];
    // A server that reports more pages but no marker cannot be asked for them.
    const hasNext = page.IsTruncated === true && page.NextKeyMarker !== undefined;
    input = hasNext
      ? { Bucket: bucket, Prefix: beginning, KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
      : undefined;
  }
}

function untilCut(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

interface Page {
  Uploads?: MultipartUpload[] | undefined;
  IsTruncated?: boolean | undefined;
  NextKeyMarker?: string | undefined;
  NextUploadIdMarker?: string | undefined;
}

function noneIfUnknown(error: unknown): Page {
  if (isNotImplemented(error)) return {};
  throw error;
}

/**
 * Returns the time of the newest part, because a slow upload takes hours. Undefined if it is not older than `before`,
 * or if the upload has ended.
 */
async function lastPartAt(
  client: S3Client,
  address: UploadAddress,
  begunAt: Date | undefined,
  before: Date,
): Promise<Date | undefined> {
  if (begunAt === undefined || begunAt >= before) return undefined;
  let lastAt = begunAt;
  try {
    for await (const parts of pagesOfParts(client, address)) {
      lastAt = parts.reduce((last, { LastModified = last }) => (LastModified > last ? LastModified : last), lastAt);
      if (lastAt >= before) return undefined;
    }
    return lastAt;
  } catch (error) {
    if (hasNoParts(error)) return undefined;
    throw error;
  }
}
