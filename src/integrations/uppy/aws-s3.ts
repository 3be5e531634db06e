import type { RequestHeaders } from '../../client/http.ts';
import { withoutEndSlashes } from '../../client/resolve-link.ts';
import type { FetchTicket } from '../../client/tickets.ts';
import { createDirectRequests, type AwsS3File } from './direct-requests.ts';
import { createSigning, type SigningFunctions } from './sign-request.ts';

/** The parameters with which the functions reach the service. */
export interface AwsS3Options {
  /** Address of the service. Default: the origin of the page. */
  baseUrl?: string;
  fetch?: typeof globalThis.fetch;
  headers?: RequestHeaders;
  /** Returns a ticket, for services that ask for one. */
  ticket?: FetchTicket;
}

/** Names one upload. Both members are its id. */
export interface AwsS3Upload {
  uploadId?: string;
  key: string;
  signal?: AbortSignal;
}

/** A part, with the names of S3. */
export interface AwsS3Part {
  PartNumber?: number;
  Size?: number;
  ETag?: string;
}

/** Options for Uppy's plugin AwsS3. Uppy 5 calls one function for each step. Uppy 6 calls the functions for signing. */
export interface AwsS3Functions extends SigningFunctions {
  shouldUseMultipart: true;
  getChunkSize(file: { size: number }): number;
  createMultipartUpload(file: AwsS3File): Promise<{ uploadId: string; key: string }>;
  listParts(file: AwsS3File, upload: AwsS3Upload): Promise<AwsS3Part[]>;
  signPart(
    file: AwsS3File,
    part: AwsS3Upload & { partNumber: number },
  ): Promise<{ url: string; headers: Record<string, string> }>;
  completeMultipartUpload(file: AwsS3File, upload: AwsS3Upload & { parts: AwsS3Part[] }): Promise<{ location: string }>;
  abortMultipartUpload(file: AwsS3File, upload: AwsS3Upload): Promise<void>;
}

const MIB = 2 ** 20;

/**
 * Returns the functions with which Uppy's plugin AwsS3 puts files straight into the bucket of the service. The metadata
 * `options` of a file are the options for its processing.
 */
export function awsS3({
  baseUrl = '',
  fetch = globalThis.fetch.bind(globalThis),
  headers,
  ticket,
}: AwsS3Options = {}): AwsS3Functions {
  const base = withoutEndSlashes(baseUrl);
  const requests = createDirectRequests({ base, fetch, headers, ticket });
  return {
    ...createSigning(requests, base),
    shouldUseMultipart: true,
    // The sizes of the service: 8 MiB, or more for a file with more than 1000 parts.
    getChunkSize: ({ size }) => Math.max(8 * MIB, Math.ceil(size / 1000 / MIB) * MIB),
    async createMultipartUpload(file) {
      const id = await requests.create(file);
      return { uploadId: id, key: id };
    },
    async listParts(_file, { key, signal }) {
      const parts = await requests.stored(key, signal);
      return parts.map(({ number, size, etag }) => ({ PartNumber: number, Size: size, ETag: etag }));
    },
    signPart: (_file, { key, partNumber, signal }) => requests.address(key, partNumber, signal),
    async completeMultipartUpload(_file, { key, parts, signal }) {
      const listed = parts.map(({ PartNumber, ETag }) => ({ number: PartNumber, etag: ETag }));
      await requests.complete(key, listed, signal);
      return { location: `${base}/uploads/${key}` };
    },
    abortMultipartUpload: (_file, { key, signal }) => requests.abort(key, signal),
  };
}
