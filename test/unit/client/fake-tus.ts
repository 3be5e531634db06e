import type { IncomingMessage, ServerResponse } from 'node:http';

/** A fault that the next PATCH gets. */
export type PatchFault =
  /** Accepts the given number of bytes, then the connection breaks. */
  | { kind: 'cut'; afterBytes: number }
  | { kind: 'status'; status: number }
  /** Accepts all bytes and loses the answer. */
  | { kind: 'lose-answer' };

/** Callbacks for the events of resumable uploads besides their bytes. */
export interface TusListener {
  onBytes(id: string, receivedBytes: number, totalBytes: number): void;
  onComplete(id: string, bytes: Buffer): void;
}

interface Resumable {
  readonly totalBytes: number;
  bytes: Buffer;
}

/** The part of the tus protocol that a client needs, in memory. */
export class FakeTus {
  /** Method, and offset or id, of every request. */
  readonly requests: string[] = [];
  /** Names and values as announced, by id. */
  readonly metadata = new Map<string, Record<string, string>>();
  readonly patchFaults: PatchFault[] = [];
  /** The number of creations that are performed and not answered. */
  lostCreations = 0;
  /** Statuses that HEAD answers with first. */
  readonly headStatuses: number[] = [];
  /** While set, a PATCH waits for it after its first bytes. */
  patchGate: Promise<void> | null = null;
  readonly #uploads = new Map<string, Resumable>();
  readonly #listener: TusListener;

  constructor(listener: TusListener) {
    this.#listener = listener;
  }

  offsetOf(id: string): number | undefined {
    return this.#uploads.get(id)?.bytes.length;
  }

  async handle(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers['tus-resumable'] !== '1.0.0') return answer(response, 412);
    if (request.method === 'POST') return this.#create(request, response);
    const upload = this.#uploads.get(id);
    if (request.method === 'HEAD') this.requests.push(`HEAD ${upload?.bytes.length ?? 'unknown'}`);
    const status = request.method === 'HEAD' ? this.headStatuses.shift() : undefined;
    if (status !== undefined) return answer(response, status);
    if (!upload) return answer(response, 404);
    if (request.method === 'HEAD') return answer(response, 200, { 'Upload-Offset': upload.bytes.length });
    await this.#patch(id, upload, request, response);
  }

  #create(request: IncomingMessage, response: ServerResponse): void {
    const metadata = decode(request.headers['upload-metadata']?.toString() ?? '');
    const id = metadata['uploadId'] ?? '';
    this.requests.push('POST');
    if (this.#uploads.has(id)) return answer(response, 409);
    this.metadata.set(id, metadata);
    this.#uploads.set(id, { totalBytes: Number(request.headers['upload-length']), bytes: Buffer.alloc(0) });
    if (this.lostCreations > 0) {
      this.lostCreations -= 1;
      return void response.destroy();
    }
    answer(response, 201, { Location: `/files/${id}` });
  }

  async #patch(id: string, upload: Resumable, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const offset = Number(request.headers['upload-offset']);
    this.requests.push(`PATCH ${offset}`);
    const nextFault = this.patchFaults.shift();
    if (nextFault?.kind === 'status') return answer(response, nextFault.status);
    if (offset !== upload.bytes.length) return answer(response, 409);
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) continue;
      const room = nextFault?.kind === 'cut' ? offset + nextFault.afterBytes - upload.bytes.length : chunk.length;
      upload.bytes = Buffer.concat([upload.bytes, chunk.subarray(0, room)]);
      this.#listener.onBytes(id, upload.bytes.length, upload.totalBytes);
      if (room < chunk.length) return void request.destroy();
      await this.patchGate;
    }
    if (upload.bytes.length === upload.totalBytes) this.#listener.onComplete(id, upload.bytes);
    if (nextFault?.kind === 'lose-answer') return void response.destroy();
    answer(response, 204, { 'Upload-Offset': upload.bytes.length });
  }
}

function decode(header: string): Record<string, string> {
  return Object.fromEntries(
    header.split(',').map((pair) => {
      const [name = '', value = ''] = pair.split(' ');
      return [name, Buffer.from(value, 'base64').toString()];
    }),
  );
}

function answer(response: ServerResponse, status: number, headers: Record<string, string | number> = {}): void {
  response.writeHead(status, headers);
  response.end();
}
