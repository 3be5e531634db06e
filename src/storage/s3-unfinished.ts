import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  paginateListParts,
  type ListMultipartUploadsCommandInput,
  type MultipartUpload,
  type S3Client,
} from '@aws-sdk/client-s3';
import { isNotImplemented, isUnknownUpload } from './s3-errors.ts';

interface UploadAddress {
  Bucket: string;
  Key: string;
  UploadId: string;
}

/** Selects the multipart uploads to abort. */
export interface AbortOptions {
  /** True for the object name of an upload of this service. Other uploads are not touched. */
  isOwn: (name: string) => boolean;
  /** Aborts only uploads with no part added since then. */
  before?: Date;
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
  const { isOwn, before, signal } = options;
  const aborted: string[] = [];
  for await (const { Key, UploadId, Initiated } of unfinishedUploads(client, bucket, beginning, signal)) {
    if (Key === undefined || UploadId === undefined || !isOwn(Key)) continue;
    const address = { Bucket: bucket, Key, UploadId };
    if (before !== undefined && (await isYounger(client, address, Initiated, before))) continue;
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
    const page: Page = await client
      .send(new ListMultipartUploadsCommand(input), untilCut(signal))
      .catch(noneWhereUnknown);
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

function noneWhereUnknown(error: unknown): Page {
  if (isNotImplemented(error)) return {};
  throw error;
}

/** A slow upload takes hours, so the time of its newest part counts, not the time when it began. */
async function isYounger(
  client: S3Client,
  address: UploadAddress,
  begunAt: Date | undefined,
  before: Date,
): Promise<boolean> {
  if (begunAt === undefined || begunAt >= before) return true;
  try {
    for await (const { Parts } of paginateListParts({ client }, address)) {
      if (Parts?.some(({ LastModified }) => LastModified !== undefined && LastModified >= before) === true) return true;
    }
    return false;
  } catch (error) {
    if (isUnknownUpload(error)) return true;
    throw error;
  }
}
