import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Problem, Progress, ProgressList, UnwatchableUpload, Upload } from '../../../src/wire/documents.ts';
import { listen } from '../../helpers/listen.ts';
import { completedUpload, freshUpload, problem } from './documents.ts';
import { FakeTus } from './fake-tus.ts';

/** A progress request that the service has received. */
export interface SeenRequest {
  /** The requested versions by upload id. */
  versions: Record<string, number>;
  timeoutMs: number;
  startedAtMs: number;
  /**
   * The time at which the answer was sent, or the end of the connection was noticed. Null while the request is held.
   */
  endedAtMs: number | null;
  /** True if the client disconnected before the answer. */
  aborted: boolean;
}

interface Held {
  seen: SeenRequest;
  tryAnswer(timedOut: boolean): void;
}

/** A fault that the next request of a kind gets instead of its answer. */
export type RequestFault =
  | { kind: 'status'; status: number; retryAfter?: string; problem?: Problem }
  /** Accepts the given number of bytes, then the connection breaks. */
  | { kind: 'cut'; afterBytes: number }
  /** Sends no answer, and closes the connection after `cutAfterMs`. */
  | { kind: 'silence'; cutAfterMs: number }
  /** Performs the request and loses the answer. */
  | { kind: 'lose-answer' };

/**
 * The service in memory, behind a real port. It processes nothing: a test changes the records and checks the requests.
 */
export class FakeService {
  readonly uploads = new Map<string, Upload>();
  readonly bytes = new Map<string, Buffer>();
  readonly progressRequests: SeenRequest[] = [];
  /** Method and path of every other request. */
  readonly requests: string[] = [];
  /** The headers of these requests. */
  readonly headers: IncomingHttpHeaders[] = [];
  readonly dispositions: string[] = [];
  readonly putFaults: RequestFault[] = [];
  readonly progressFaults: RequestFault[] = [];
  /** If set, a request that creates an upload needs one of these as a Bearer token. */
  tickets: ReadonlySet<string> | null = null;
  /** The tickets of those requests, with `none` for a request without one. */
  readonly seenTickets: string[] = [];
  /** While set, a PUT waits for it after its first byte. */
  putGate: Promise<void> | null = null;
  readonly tus = new FakeTus({
    onBytes: (id, received, total) => this.#received(id, received, total),
    onComplete: (id, bytes) => this.#stored(id, bytes),
  });
  /** Called when the bytes of an upload are stored. */
  onStored: (id: string) => void = () => undefined;
  readonly #held = new Set<Held>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) =>
        response.destroy(error instanceof Error ? error : undefined),
      );
    });
  }

  async start(): Promise<string> {
    return `http://127.0.0.1:${await listen(this.#server)}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  /** Changes a record and wakes its waiters. */
  move(id: string, patch: Partial<Progress>): void {
    const upload = this.uploads.get(id) ?? freshUpload(id);
    const version = patch.version ?? upload.version + 1;
    const progress = { ...upload.progress, ...patch, version };
    this.uploads.set(id, { ...upload, version, state: progress.state, progress });
    for (const held of this.#held) held.tryAnswer(false);
  }

  complete(id: string): void {
    this.move(id, { state: 'completed', stage: 'done', percent: 100, final: true, etaMs: 0 });
    const upload = this.uploads.get(id);
    if (upload) this.uploads.set(id, completedUpload(upload));
  }

  fail(id: string, error: Problem): void {
    const upload = this.uploads.get(id) ?? freshUpload(id);
    this.uploads.set(id, { ...upload, error });
    this.move(id, { state: 'failed', final: true });
  }

  /** Answers all held requests with their timeout value. */
  timeOut(): void {
    for (const held of this.#held) held.tryAnswer(true);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    if (url.pathname === '/progress') return this.#progress(url, response);
    this.requests.push(`${request.method} ${url.pathname}`);
    this.headers.push(request.headers);
    if (url.pathname === '/limits') return send(response, 200, { maxFileBytes: 1000, types: [] });
    const id = url.pathname.split('/')[2] ?? '';
    if (isCreation(request, this.uploads.has(id)) && !this.#admits(request)) {
      request.resume();
      return send(response, 401, problem('ticket_expired', 401, 'The ticket has expired.'));
    }
    if (url.pathname.startsWith('/files')) return await this.tus.handle(id, request, response);
    if (request.method === 'PUT') return await this.#put(id, request, response);
    const upload = this.uploads.get(id);
    if (!upload) return send(response, 404, problem('unknown_upload', 404, 'There is no such upload.'));
    if (request.method === 'DELETE') {
      this.uploads.delete(id);
      return void response.writeHead(204).end();
    }
    if (request.method === 'POST' && !upload.progress.final) {
      this.move(id, { state: 'cancelled', final: true });
      return send(response, 202, this.uploads.get(id));
    }
    send(response, 200, upload);
  }

  #admits(request: IncomingMessage): boolean {
    const ticket = request.headers.authorization?.replace('Bearer ', '') ?? 'none';
    this.seenTickets.push(ticket);
    return this.tickets?.has(ticket) ?? true;
  }

  async #put(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const nextFault = this.putFaults.shift();
    this.dispositions.push(request.headers['content-disposition'] ?? '');
    if (nextFault?.kind === 'status') {
      request.resume();
      return fault(response, nextFault);
    }
    const total = Number(request.headers['content-length'] ?? 0);
    const chunks: Buffer[] = [];
    let received = 0;
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) continue;
      chunks.push(chunk);
      received += chunk.length;
      this.#received(id, received, total);
      await this.putGate;
      if (nextFault?.kind === 'cut' && received >= nextFault.afterBytes) {
        this.fail(id, problem('upload_interrupted', 400, 'The connection broke.'));
        return void request.destroy();
      }
    }
    if (this.uploads.get(id)?.progress.final)
      return send(response, 410, problem('upload_cancelled', 410, 'Cancelled.'));
    this.#stored(id, Buffer.concat(chunks));
    if (nextFault?.kind === 'lose-answer') return void response.destroy();
    send(response, 202, this.uploads.get(id));
  }

  #received(id: string, received: number, total: number): void {
    this.move(id, {
      state: 'receiving',
      stage: 'receive',
      final: false,
      bytes: { received, total },
      percent: (30 * received) / total,
    });
  }

  #stored(id: string, bytes: Buffer): void {
    this.bytes.set(id, bytes);
    this.move(id, { state: 'queued', stage: 'queue', percent: 30, queuePosition: 1 });
    this.onStored(id);
  }

  #progress(url: URL, response: ServerResponse): void {
    const versions = versionsIn(url);
    const timeoutMs = Number(url.searchParams.get('timeout'));
    const seen: SeenRequest = { versions, timeoutMs, startedAtMs: Date.now(), endedAtMs: null, aborted: false };
    this.progressRequests.push(seen);
    const nextFault = this.progressFaults.shift();
    response.on('close', () => {
      seen.endedAtMs ??= Date.now();
      seen.aborted = !response.writableEnded;
      this.#held.delete(held);
      clearTimeout(timer);
    });
    const held: Held = {
      seen,
      tryAnswer: (timedOut) => {
        const uploads = this.#moved(versions);
        if (uploads.length === 0 && !timedOut) return;
        this.#held.delete(held);
        seen.endedAtMs = Date.now();
        send(response, 200, { uploads, timedOut } satisfies ProgressList);
      },
    };
    const timer = setTimeout(() => nextFault?.kind !== 'silence' && held.tryAnswer(true), timeoutMs);
    if (nextFault?.kind === 'status') return fault(response, nextFault);
    if (nextFault?.kind === 'silence') return void setTimeout(() => response.destroy(), nextFault.cutAfterMs);
    this.#held.add(held);
    held.tryAnswer(false);
  }

  #moved(versions: Record<string, number>): (Progress | UnwatchableUpload)[] {
    return Object.entries(versions).flatMap(([id, version]): (Progress | UnwatchableUpload)[] => {
      const upload = this.uploads.get(id);
      if (!upload) return [{ id, error: problem('unknown_upload', 404, 'There is no such upload.') }];
      return upload.version === version && !upload.progress.final ? [] : [upload.progress];
    });
  }
}

function isCreation({ method, url }: IncomingMessage, exists: boolean): boolean {
  return (method === 'PUT' && !exists) || (method === 'POST' && url === '/files');
}

/** Returns the versions that a request for progress has seen, by id. */
export function versionsIn(url: URL): Record<string, number> {
  return Object.fromEntries(url.searchParams.getAll('upload').map(parseCursor));
}

function parseCursor(cursor: string): [id: string, version: number] {
  const [id = '', version = ''] = cursor.split('~');
  return [id, Number(version)];
}

function fault(response: ServerResponse, nextFault: Extract<RequestFault, { kind: 'status' }>): void {
  if (nextFault.retryAfter !== undefined) response.setHeader('Retry-After', nextFault.retryAfter);
  send(response, nextFault.status, nextFault.problem ?? problem('service_unavailable', nextFault.status, 'Not now.'));
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}
