import { createHttp, jsonBody, type RequestHeaders } from '../../client/http.ts';
import { createTickets, type FetchTicket } from '../../client/tickets.ts';
import { isDirectParts, isDirectUpload, isStoredParts, isUpload } from '../../client/wire.ts';

/** The needed members of a file of Uppy. */
export interface AwsS3File {
  readonly name?: string | undefined;
  readonly size: number | null;
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/** A part that the bucket has. */
interface Stored {
  number: number;
  size: number;
  etag: string;
}

/** The requests of an upload straight to the bucket. `id` is that of the upload. */
export interface DirectRequests {
  /** Returns the id. */
  create(file: AwsS3File): Promise<string>;
  address(id: string, number: number, signal?: AbortSignal): Promise<{ url: string; headers: Record<string, string> }>;
  stored(id: string, signal?: AbortSignal): Promise<Stored[]>;
  complete(id: string, parts: readonly object[], signal?: AbortSignal): Promise<void>;
  abort(id: string, signal?: AbortSignal): Promise<void>;
}

/** The parameters with which the requests reach the service. */
export interface RequestOptions {
  /** Address of the service, without a slash at its end. */
  base: string;
  fetch: typeof globalThis.fetch;
  headers: RequestHeaders | undefined;
  ticket: FetchTicket | undefined;
}

/** Returns the requests to the service. */
export function createDirectRequests({ base, fetch, headers, ticket }: RequestOptions): DirectRequests {
  const http = createHttp(base, fetch, headers);
  const tickets = createTickets(ticket);
  return {
    async create({ name = 'file', size, meta }) {
      const body = jsonBody({ fileName: name, size: size ?? 0, options: meta?.['options'] });
      const send = (ofTicket: Record<string, string>) =>
        http.request('/uploads/direct', isDirectUpload, { method: 'POST', headers: ofTicket, body });
      return (await tickets.use(send, new AbortController().signal)).upload.id;
    },
    async address(id, number, signal) {
      const path = `/uploads/${id}/direct/parts?from=${number}&count=1`;
      const [part] = (await http.request(path, isDirectParts, until(signal))).parts;
      return { url: part?.url ?? '', headers: part?.headers ?? {} };
    },
    async stored(id, signal) {
      return (await http.request(`/uploads/${id}/direct/stored`, isStoredParts, until(signal))).parts;
    },
    async complete(id, parts, signal) {
      const body = jsonBody({ parts });
      await http.request(`/uploads/${id}/direct/complete`, isUpload, { method: 'POST', body, ...until(signal) });
    },
    async abort(id, signal) {
      await http.headers(`/uploads/${id}`, { method: 'DELETE', ...until(signal) });
    },
  };
}

function until(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
