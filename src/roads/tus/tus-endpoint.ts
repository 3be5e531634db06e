import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Server } from '@tus/server';
import { ServiceError } from '../../errors.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import type { QueueKeys } from '../../queue/contract.ts';
import { readBody, requireIdentityEncoding } from '../../intake/body.ts';
import type { UploadIntake } from '../../intake/intake.ts';
import { RedisLocker, type LockStore } from './redis-locker.ts';
import { tusError } from './tus-errors.ts';
import { uploadIdIn } from './tus-metadata.ts';
import { TusStore, type TusStoreParts } from './tus-store.ts';
import { uploadRef } from '../../telemetry/upload-ref.ts';

/** Where resumable uploads are made; each has its own address below. */
export const TUS_PATH = '/files';

/** The one version of the protocol that is spoken. */
export const TUS_VERSION = '1.0.0';

/** What the endpoint is made of. */
export interface TusParts extends TusStoreParts {
  store: LockStore;
  keys: QueueKeys;
  intake: Pick<UploadIntake, 'whileReceiving'>;
}

/** The methods of the protocol. */
export type TusMethod = 'OPTIONS' | 'POST' | 'HEAD' | 'PATCH' | 'DELETE';

/** A request of the protocol; `id` is undefined where it is for no upload yet. */
export interface TusRequest {
  scope: RequestScope;
  request: IncomingMessage;
  /** After `X-HTTP-Method-Override`. */
  method: TusMethod;
  id: string | undefined;
  /** Fires when the client is gone. */
  gone: AbortSignal;
}

/** What is to be answered; errors are thrown instead. */
export interface TusAnswer {
  status: number;
  headers: Record<string, string>;
}

/** A request that is wanted to make way has so long to end by itself. */
const DRAIN_MS = 1_000;

/** Of what a client sends, all that the protocol speaks of. */
const REQUEST_HEADERS = [
  'tus-resumable',
  'content-type',
  'content-length',
  'upload-length',
  'upload-defer-length',
  'upload-offset',
  'upload-metadata',
  'upload-concat',
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

/** Resumable uploads by the tus protocol, version 1.0 (tus.io/protocols/resumable-upload). */
export class TusEndpoint {
  readonly #parts: TusParts;

  constructor(parts: TusParts) {
    this.#parts = parts;
  }

  /** Throws a `ServiceError` for all that the protocol answers with a status from 400 on. */
  async handle(asked: TusRequest): Promise<TusAnswer> {
    const { request } = asked;
    requireVersion(asked);
    if (!hasBody(asked)) return await this.#answer(asked, null);
    requireOffsetStream(asked);
    requireIdentityEncoding(request);
    return await this.#parts.intake.whileReceiving(asked.scope, request, (signal) => this.#receive(asked, signal));
  }

  /** A body that breaks off, stalls or is broken off at shutdown ends like any other: what came is kept. */
  async #receive(asked: TusRequest, signal: AbortSignal): Promise<TusAnswer> {
    const { log } = asked.scope;
    const answered = new AbortController();
    const chunks = readBody(asked.request, AbortSignal.any([signal, answered.signal]));
    const body = untilBroken(chunks, (reason) => {
      if (!answered.signal.aborted)
        log.info({ ...uploadField(asked.id), reason: reasonOf(reason) }, 'request broken off, bytes kept');
    });
    try {
      return await this.#answer(asked, streamOf(body));
    } finally {
      // Ends a read under way, so that what is left of the body can flow off.
      answered.abort();
      await body.return(undefined);
    }
  }

  async #answer(
    { scope, request, method, id, gone }: TusRequest,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<TusAnswer> {
    const headers = pick(REQUEST_HEADERS, (name) => request.headers[name]?.toString());
    const url = `http://localhost${TUS_PATH}${id === undefined ? '' : `/${id}`}`;
    const init: RequestInit & { duplex: 'half' } = { method, headers, body, duplex: 'half', signal: gone };
    let thrown: unknown;
    const server = this.#openServer(scope, (error) => (thrown = error));
    const answer = await server.handleWeb(new Request(url, init));
    if (answer.status < 400)
      return { status: answer.status, headers: pick(ANSWER_HEADERS, (name) => answer.headers.get(name) ?? undefined) };
    if (thrown instanceof Error && !('status_code' in thrown)) throw thrown;
    throw tusError(answer.status, await answer.text());
  }

  /** One server for each request (8 µs), because it does not tell the store and the locks which request they serve. */
  #openServer(scope: RequestScope, onError: (error: unknown) => void): Server {
    const parts = this.#parts;
    return new Server({
      path: TUS_PATH,
      datastore: new TusStore(parts, scope),
      locker: ({ signal }) => new RedisLocker({ ...parts, log: scope.log }, signal),
      lockDrainTimeout: DRAIN_MS,
      // The store rejects a file that is too large, because that ends the upload.
      maxSize: ({ method }) => (method === 'OPTIONS' ? parts.maxFileBytes : 0),
      namingFunction: (_, metadata) => uploadIdIn(metadata ?? {}) ?? randomUUID(),
      // An absolute path is right behind any proxy; clients resolve it.
      relativeLocation: true,
      onResponseError: (_, error) => {
        onError(error);
        return undefined;
      },
    });
  }
}

/** Section "Tus-Resumable": another version than the server's is answered with 412 and `Tus-Version`. */
function requireVersion({ request, method }: TusRequest): void {
  if (method === 'OPTIONS' || request.headers['tus-resumable'] === TUS_VERSION) return;
  throw new ServiceError('unsupported_tus_version', `Send Tus-Resumable: ${TUS_VERSION}.`, {
    headers: { 'Tus-Version': TUS_VERSION },
  });
}

/** With POST this is the extension creation-with-upload. */
function hasBody({ request, method }: TusRequest): boolean {
  return method === 'PATCH' || (method === 'POST' && request.headers['content-type'] === OFFSET_STREAM);
}

const OFFSET_STREAM = 'application/offset+octet-stream';

/** Section "PATCH": any other type is answered with 415. */
function requireOffsetStream({ request }: TusRequest): void {
  if (request.headers['content-type'] === OFFSET_STREAM) return;
  throw new ServiceError('not_offset_stream', `The bytes of an upload are sent as ${OFFSET_STREAM}.`);
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

function reasonOf(error: unknown): string {
  return error instanceof ServiceError ? error.code : String(error);
}

/** Not read ahead: the sender may be waiting to hear whether it is to go on. */
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

/** A creation has no id yet. */
function uploadField(id: string | undefined): { upload?: string } {
  return id === undefined ? {} : { upload: uploadRef(id) };
}
