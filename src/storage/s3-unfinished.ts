import {
  AbortMultipartUploadCommand, ListMultipartUploadsCommand, paginateListParts,
  type ListMultipartUploadsCommandInput, type MultipartUpload, type S3Client,
} from '@aws-sdk/client-s3';
import { isNotImplemented, isUnknownUpload } from './s3-errors.ts';

interface UploadAddress {
  Bucket: string;
  Key: string;
  UploadId: string;
}

/** Frees the parts of one multipart upload. One that is completed or aborted already is no error. */
export async function abortUpload(client: S3Client, address: UploadAddress): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand(address));
  } catch (error) {
    if (!isUnknownUpload(error)) throw error;
  }
}

/**
 * Aborts every multipart upload to a name that begins so, or with a time only those to which nothing was added
 * since; returns how many. Servers that cannot list them end them by themselves.
 */
export async function abortUnfinished(client: S3Client, bucket: string, beginning: string, before?: Date): Promise<number> {
  let aborted = 0;
  for await (const { Key, UploadId, Initiated } of unfinishedUploads(client, bucket, beginning)) {
    if (Key === undefined || UploadId === undefined) continue;
    const address = { Bucket: bucket, Key, UploadId };
    if (before !== undefined && (await isYounger(client, address, Initiated, before))) continue;
    await abortUpload(client, address);
    aborted += 1;
  }
  return aborted;
}

async function* unfinishedUploads(client: S3Client, bucket: string, beginning: string): AsyncIterable<MultipartUpload> {
  let input: ListMultipartUploadsCommandInput | undefined = { Bucket: bucket, Prefix: beginning };
  while (input !== undefined) {
    const page: Page = await client.send(new ListMultipartUploadsCommand(input)).catch(noneWhereUnknown);
    yield* page.Uploads ?? [];
    // A server that says there is more, and not where, has the last word.
    const hasNext = page.IsTruncated === true && page.NextKeyMarker !== undefined;
    input = hasNext ? { Bucket: bucket, Prefix: beginning, KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : undefined;
  }
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
async function isYounger(client: S3Client, address: UploadAddress, begunAt: Date | undefined, before: Date): Promise<boolean> {
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
