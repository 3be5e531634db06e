import { ListPartsCommand, type Part, type S3Client } from '@aws-sdk/client-s3';
import { isMissing, isUnknownUpload } from './s3-errors.ts';

/** A multipart upload in the words of S3. */
export interface UploadAddress {
  Bucket: string;
  Key: string;
  UploadId: string;
}

/**
 * Yields the pages of the parts of a multipart upload. The paginator of the SDK does not end: S3 sends a marker with
 * the last page too, and with the marker `0` the list begins again.
 */
export async function* pagesOfParts(client: S3Client, address: UploadAddress): AsyncIterable<Part[]> {
  let marker: string | undefined;
  do {
    const input = { ...address, ...(marker === undefined ? {} : { PartNumberMarker: marker }) };
    const { Parts = [], IsTruncated, NextPartNumberMarker } = await client.send(new ListPartsCommand(input));
    yield Parts;
    marker = IsTruncated === true && NextPartNumberMarker !== marker ? NextPartNumberMarker : undefined;
  } while (marker !== undefined);
}

/**
 * True if the upload was certainly completed or aborted. Ceph answers 500 to the completion of an aborted upload, so
 * that error does not say it.
 */
export async function hasEnded(client: S3Client, address: UploadAddress, abortSignal?: AbortSignal): Promise<boolean> {
  try {
    await client.send(new ListPartsCommand({ ...address, MaxParts: 1 }), abortSignal && { abortSignal });
    return false;
  } catch (error) {
    return hasNoParts(error);
  }
}

/** True if the list of parts failed because the upload was completed or aborted. Ceph then answers `NoSuchKey`. */
export function hasNoParts(error: unknown): boolean {
  return isUnknownUpload(error) || isMissing(error);
}
