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

/** Which uploads, and for how long to try. */
export interface AbortOptions {
  /** Given the name of an upload; uploads of others are not touched. */
  isOwn: (name: string) => boolean;
  /** Only those to which nothing was added since. */
  before?: Date;
  signal?: AbortSignal;
}

/** Frees the parts of one multipart upload. One that is completed or aborted already is no error. */
export async function abortUpload(client: S3Client, address: UploadAddress, signal?: AbortSignal): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand(address), untilCut(signal));
  } catch (error) {
    if (!isUnknownUpload(error)) throw error;
  }
}

/** Aborts own multipart uploads to names that begin so, and returns these names. Servers that cannot list them end them by themselves. */
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
    // A server that says there is more, and not where, has the last word.
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

/** Slow senders take hours, so that the newest part counts, not the beginning. */
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
