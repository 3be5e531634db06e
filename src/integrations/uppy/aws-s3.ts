import { createHttp, jsonBody, type Http, type RequestHeaders } from '../../client/http.ts';
import { withoutEndSlashes } from '../../client/resolve-link.ts';
import { createTickets, type FetchTicket } from '../../client/tickets.ts';
import { isDirectParts, isDirectUpload, isStoredParts, isUpload } from '../../client/wire.ts';

/** How the functions reach the service. */
export interface AwsS3Options {
  /** Address of the service. Default: the origin of the page. */
  baseUrl?: string;
  fetch?: typeof globalThis.fetch;
  headers?: RequestHeaders;
  /** Returns a ticket, for services that ask for one. */
  ticket?: FetchTicket;
}

/** A file of Uppy, as far as it is needed. */
export interface AwsS3File {
  readonly name?: string | undefined;
  readonly size: number | null;
  readonly meta?: Readonly<Record<string, unknown>>;
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

/** Options for Uppy's plugin AwsS3. */
export interface AwsS3Functions {
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
  const http = createHttp(base, fetch, headers);
  const tickets = createTickets(ticket);
  return {
    shouldUseMultipart: true,
    // The sizes of the service: 8 MiB, or more for a file with more than 1000 parts.
    getChunkSize: ({ size }) => Math.max(8 * MIB, Math.ceil(size / 1000 / MIB) * MIB),
    async createMultipartUpload({ name = 'file', size, meta }) {
      const body = jsonBody({ fileName: name, size: size ?? 0, options: meta?.['options'] });
      const send = (ofTicket: Record<string, string>) =>
        http.request('/uploads/direct', isDirectUpload, { method: 'POST', headers: ofTicket, body });
      const { upload } = await tickets.use(send, new AbortController().signal);
      return { uploadId: upload.id, key: upload.id };
    },
    async listParts(_file, { key, signal }) {
      const { parts } = await http.request(`/uploads/${key}/direct/stored`, isStoredParts, until(signal));
      return parts.map(({ number, size, etag }) => ({ PartNumber: number, Size: size, ETag: etag }));
    },
    async signPart(_file, { key, partNumber, signal }) {
      const path = `/uploads/${key}/direct/parts?from=${partNumber}&count=1`;
      const [part] = (await http.request(path, isDirectParts, until(signal))).parts;
      return { url: part?.url ?? '', headers: part?.headers ?? {} };
    },
    async completeMultipartUpload(_file, { key, parts, signal }) {
      const listed = parts.map(({ PartNumber, ETag }) => ({ number: PartNumber, etag: ETag }));
      await complete(http, key, listed, signal);
      return { location: `${base}/uploads/${key}` };
    },
    async abortMultipartUpload(_file, { key, signal }) {
      await http.headers(`/uploads/${key}`, { method: 'DELETE', ...until(signal) });
    },
  };
}

async function complete(http: Http, key: string, parts: readonly object[], signal?: AbortSignal): Promise<void> {
  const body = jsonBody({ parts });
  await http.request(`/uploads/${key}/direct/complete`, isUpload, { method: 'POST', body, ...until(signal) });
}

function until(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
