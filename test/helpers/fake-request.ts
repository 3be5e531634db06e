import './one-realm.ts';
import { randomUUID } from 'node:crypto';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** A request whose body the test sends, as Node's parser would. */
export interface FakeRequest {
  readonly request: IncomingMessage;
  readonly send: (...chunks: readonly (Buffer | string)[]) => void;
  /** Completes the body. */
  readonly end: () => void;
  /** Disconnects the client. */
  readonly breakOff: () => void;
}

/** Makes a request. The names of headers must be in lower case. */
export function fakeRequest(headers: Record<string, string> = {}): FakeRequest {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  return {
    request,
    send(...chunks) {
      for (const chunk of chunks) request.push(chunk);
    },
    end() {
      request.complete = true;
      request.push(null);
    },
    breakOff() {
      request.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
    },
  };
}

/** Returns a request whose whole body has arrived, in these chunks. */
export function wholeRequest(
  headers: Record<string, string>,
  ...chunks: readonly (Buffer | string)[]
): IncomingMessage {
  const { request, send, end } = fakeRequest(headers);
  send(...chunks);
  end();
  return request;
}

/** One part of a form; with a `fileName` it is a file. */
export interface FormPart {
  name: string;
  fileName?: string;
  bytes: Buffer | string;
  /** Replaces the `Content-Disposition` made from the names. */
  disposition?: string;
}

const BOUNDARY = '----boundary7';

/** The headers of a form's request. */
export const FORM_HEADERS = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };

/** Returns the body of a form. */
export function formBody(...parts: readonly FormPart[]): Buffer {
  const pieces = parts.flatMap(({ name, fileName, bytes, disposition }) => {
    const file = fileName === undefined ? '' : `; filename="${fileName}"`;
    const head = disposition ?? `form-data; name="${name}"${file}`;
    const type =
      fileName === undefined && disposition === undefined ? '' : 'Content-Type: application/octet-stream\r\n';
    return [
      Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: ${head}\r\n${type}\r\n`),
      Buffer.from(bytes),
      Buffer.from('\r\n'),
    ];
  });
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

/** Returns all bytes of a stream. */
export async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Returns the code or else the message of the error that a promise rejects with, `none` if it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return 'code' in error ? String(error.code) : error.message;
  }
}

/** Returns bytes that begin like a JPEG. The same seed gives the same bytes. */
export function jpegBytes(length = 6000, seed = 1): Buffer {
  const bytes = Buffer.alloc(length, `not a picture at all ${seed} `);
  Buffer.from([0xff, 0xd8, 0xff, 0xe0]).copy(bytes);
  return bytes;
}

/** Returns an id as a client makes it. */
export const freshId = (): string => randomUUID();
