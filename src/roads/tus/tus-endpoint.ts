import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Metadata, Server } from '@tus/server';
import { ServiceError } from '../../errors.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import type { QueueKeys } from '../../queue/contract.ts';
import type { SentDigest } from '../../intake/body-digests.ts';
import { readBody, requireIdentityEncoding } from '../../intake/body.ts';
import type { UploadMetadata } from '../../record/record-fields.ts';
import type { UploadIntake } from '../../intake/intake.ts';
import { uploadConcat } from './concat.ts';
import { joinUploads, type FinalUpload } from './join-uploads.ts';
import { reasonOf } from './kept-body.ts';
import { DRAIN_MS } from './lock-upload.ts';
import { patchUpload } from './patch-upload.ts';
import { RedisLocker, type LockStore } from './redis-locker.ts';
import { tusError } from './tus-errors.ts';
import { plainMetadata, uploadIdIn } from './tus-metadata.ts';
import { TusStore, type TusStoreParts } from './tus-store.ts';
import { CHECKSUM_ALGORITHMS, uploadChecksum } from './upload-checksum.ts';

/** The address for new resumable uploads. Each upload has its own address below it. */
export const TUS_PATH = '/files';

/** The only supported version of the protocol. */
export const TUS_VERSION = '1.0.0';

/** The parts that the endpoint needs. */
export interface TusParts extends TusStoreParts {
  store: LockStore;
  keys: QueueKeys;
  intake: Pick<UploadIntake, 'whileReceiving'>;
}

/** The methods of the protocol. */
export type TusMethod = 'OPTIONS' | 'POST' | 'HEAD' | 'PATCH' | 'DELETE';

/** A request of the protocol. `id` is undefined for a creation. */
export interface TusRequest {
  scope: RequestScope;
  request: IncomingMessage;
  /** The method, after `X-HTTP-Method-Override` was applied. */
  method: TusMethod;
  id: string | undefined;
  /** Fires if the client disconnects. */
  gone: AbortSignal;
}

/** A successful answer. Errors are thrown. */
interface TusAnswer {
  status: number;
  headers: Record<string, string>;
}

/** The request headers that the protocol uses. */
const REQUEST_HEADERS = [
  'tus-resumable',
  'content-type',
  'content-length',
  'upload-length',
  'upload-defer-length',
  'upload-offset',
  'upload-metadata',
];

const ANSWER_HEADERS = [
  'Tus-Resumable',
  'Tus-Version',
  'Tus-Extension',
  'Tus-Max-Size',
  'Location',
  'Cache-Control',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Defer-Length',
  'Upload-Metadata',
  'Upload-Expires',
];

/** Receives resumable uploads with the tus protocol, version 1.0 (tus.io/protocols/resumable-upload). */
export class TusEndpoint {
  readonly #parts: TusParts;

  constructor(parts: TusParts) {
    this.#parts = parts;
  }

  /** Throws a `ServiceError` for each answer with a status of 400 or more. */
  async handle(asked: TusRequest): Promise<TusAnswer> {
    const { request } = asked;
    requireVersion(asked);
    if (!hasBody(asked)) return await this.#answer(asked, null);
    requireOffsetStream(asked);
    requireIdentityEncoding(request);
    return await this.#parts.intake.whileReceiving(asked.scope, request, (signal) =>
      asked.method === 'PATCH' ? this.#patch(asked, signal) : this.#receive(asked, signal),
    );
  }

  async #patch({ scope, request, id = '', gone }: TusRequest, ended: AbortSignal): Promise<TusAnswer> {
    const checksum = checksumIn(request);
    const store = new TusStore(this.#parts, scope, { checksum, isPatch: true });
    const { offset, expiresAt } = await patchUpload(this.#parts, store, { scope, request, id, gone, ended });
    const expiry = expiresAt === undefined ? {} : { 'Upload-Expires': expiresAt.toUTCString() };
    return { status: 204, headers: { 'Upload-Offset': String(offset), ...expiry } };
  }

  /** Passes a body to @tus/server. If it breaks, stalls or is ended at shutdown, it is treated like a complete body. */
  async #receive(asked: TusRequest, signal: AbortSignal): Promise<TusAnswer> {
    const { log } = asked.scope;
    const answered = new AbortController();
    const chunks = readBody(asked.request, AbortSignal.any([signal, answered.signal]));
    const body = untilBroken(chunks, (reason) => {
      if (!answered.signal.aborted) log.info({ reason: reasonOf(reason) }, 'body ended early, bytes stored');
    });
    try {
      return await this.#answer(asked, streamOf(body));
    } finally {
      // Ends a running read, so that the rest of the body can be discarded.
      answered.abort();
      await body.return(undefined);
    }
  }

  async #answer(
    { scope, request, method, id, gone }: TusRequest,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<TusAnswer> {
    const headers = pick(REQUEST_HEADERS, (name) => protocolHeader(name, request.headers[name]?.toString()));
    const url = `http://localhost${TUS_PATH}${id === undefined ? '' : `/${id}`}`;
    const init: RequestInit & { duplex: 'half' } = { method, headers, body, duplex: 'half', signal: gone };
    let thrown: unknown;
    const checksum = checksumIn(request);
    const concat = method === 'POST' ? uploadConcat(request.headers['upload-concat']?.toString()) : undefined;
    if (concat?.role === 'final') return await this.#join({ scope, concat, headers, gone });
    const store = new TusStore(this.#parts, scope, { checksum, concat });
    const server = this.#openServer(scope, store, (error) => (thrown = error));
    const answer = await server.handleWeb(new Request(url, init));
    if (answer.status < 400) {
      const shown = pick(ANSWER_HEADERS, (name) => answer.headers.get(name) ?? undefined);
      if (method === 'HEAD' && store.shownConcat !== undefined) shown['Upload-Concat'] = store.shownConcat;
      if (method === 'OPTIONS') shown['Tus-Checksum-Algorithm'] = CHECKSUM_ALGORITHMS;
      return { status: answer.status, headers: shown };
    }
    if (thrown instanceof Error && !('status_code' in thrown)) throw thrown;
    throw tusError(answer.status, await answer.text());
  }

  /** Makes a file of partial uploads. @tus/server cannot do that. */
  async #join({ scope, concat, headers, gone }: FinalRequest): Promise<TusAnswer> {
    if ('upload-length' in headers || 'upload-defer-length' in headers)
      throw new ServiceError('bad_request', 'A final upload has the length of its parts. Send no Upload-Length.');
    const metadata = metadataIn(headers['upload-metadata']);
    const id = uploadIdIn(metadata) ?? randomUUID();
    const locker = new RedisLocker({ ...this.#parts, log: scope.log }, gone);
    await joinUploads(this.#parts, scope, locker, { id, metadata, concat }, gone);
    return { status: 201, headers: { Location: `${TUS_PATH}/${id}` } };
  }

  /** Makes a server for each request (8 µs), because a server does not pass the request to its store and locks. */
  #openServer(scope: RequestScope, store: TusStore, onError: (error: unknown) => void): Server {
    const parts = this.#parts;
    return new Server({
      path: TUS_PATH,
      datastore: store,
      locker: ({ signal }) => new RedisLocker({ ...parts, log: scope.log }, signal),
      lockDrainTimeout: DRAIN_MS,
      // The store rejects a file that is too large, because that ends the upload.
      maxSize: ({ method }) => (method === 'OPTIONS' ? parts.maxFileBytes : 0),
      namingFunction: (_, metadata) => uploadIdIn(metadata ?? {}) ?? randomUUID(),
      // An absolute path is correct with every proxy in front; clients resolve it.
      relativeLocation: true,
      onResponseError: (_, error) => {
        onError(error);
        return undefined;
      },
    });
  }
}

interface FinalRequest extends Pick<TusRequest, 'scope' | 'gone'> {
  concat: FinalUpload['concat'];
  headers: Record<string, string>;
}

function checksumIn({ headers }: IncomingMessage): SentDigest | undefined {
  return uploadChecksum(headers['upload-checksum']?.toString());
}

function metadataIn(header: string | undefined): UploadMetadata {
  try {
    return header === undefined ? {} : Metadata.parse(header);
  } catch {
    throw tusError(400, 'Invalid upload-metadata');
  }
}

/** Rejects another version with 412 and `Tus-Version` (tus 1.0, "Tus-Resumable"). */
function requireVersion({ request, method }: TusRequest): void {
  if (method === 'OPTIONS' || request.headers['tus-resumable'] === TUS_VERSION) return;
  throw new ServiceError(
    'unsupported_tus_version',
    `This version of tus is not supported. Send Tus-Resumable: ${TUS_VERSION}.`,
    { headers: { 'Tus-Version': TUS_VERSION } },
  );
}

/** Returns a header in the form of @tus/server, which is stricter than RFC 9110 and than common clients. */
function protocolHeader(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (name === 'content-type') return mediaType(value);
  return name === 'upload-metadata' ? plainMetadata(value) : value;
}

/** Returns the type without parameters. Case does not count (RFC 9110 section 8.3.1). */
function mediaType(header = ''): string {
  return (header.split(';')[0] ?? '').trim().toLowerCase();
}

/** True for a PATCH, and for a POST with a body (extension creation-with-upload). */
function hasBody({ request, method }: TusRequest): boolean {
  return method === 'PATCH' || (method === 'POST' && mediaType(request.headers['content-type']) === OFFSET_STREAM);
}

const OFFSET_STREAM = 'application/offset+octet-stream';

/** Rejects any other type with 415 (tus 1.0, "PATCH"). */
function requireOffsetStream({ request }: TusRequest): void {
  if (mediaType(request.headers['content-type']) === OFFSET_STREAM) return;
  throw new ServiceError(
    'not_offset_stream',
    `The body has another Content-Type. Send it with Content-Type: ${OFFSET_STREAM}.`,
  );
}

async function* untilBroken(
  chunks: AsyncIterable<Buffer>,
  onBroken: (reason: unknown) => void,
): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    onBroken(error);
  }
}

/** Does not read ahead, because the client may be waiting for 100 Continue. */
function streamOf(chunks: AsyncGenerator<Buffer>): ReadableStream<Uint8Array> {
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      const next = await chunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

function pick(names: readonly string[], valueOf: (name: string) => string | undefined): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = valueOf(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
