import { randomUUID } from 'node:crypto';
import type { Problem, Progress, Upload } from '../../src/wire/documents.ts';
import { getJson } from './client.ts';
import { eventually } from './eventually.ts';
import { filePart, FORM_END } from './raw-form.ts';
import { createTus, offsetOf } from './tus-requests.ts';

/** One way to send a file, written by hand. */
export interface Sender {
  /** The head without the line that ends it. */
  head: string;
  body: Buffer;
  /**
   * The record of the file after its request has failed: `nothing`, or its state and error, or its offset.
   */
  outcome: () => Promise<string>;
  /** Waits until the service reports this number of bytes, or that it receives a body if it reports no bytes. */
  received: (byteCount: number) => Promise<void>;
}

/** The methods of requests that carry files. */
export const METHODS = ['PUT', 'POST', 'PATCH'] as const;

/** One of `METHODS`. */
export type Method = (typeof METHODS)[number];

/** How a file can be sent, each under a fresh id. */
export const SENDERS: Readonly<Record<Method, (url: string, bytes: Buffer) => Promise<Sender>>> = {
  async PUT(url, bytes) {
    const id = randomUUID();
    return {
      head: headOf('PUT', `/uploads/${id}`),
      body: bytes,
      outcome: () => stateOf(url, id),
      received: (byteCount) => receivedBy(url, id, byteCount),
    };
  },
  async POST(url, bytes) {
    const body = Buffer.concat([filePart('a.jpg', bytes), Buffer.from(FORM_END)]);
    // Only the answer contains the ids. `expectNothingLeft` checks whether anything is left.
    return {
      head: headOf('POST', '/uploads', 'Content-Type: multipart/form-data; boundary=b\r\n'),
      body,
      outcome: async () => 'nothing',
      received: () => receiving(url, 1),
    };
  },
  async PATCH(url, bytes) {
    const id = await createTus(url, { 'Upload-Length': String(bytes.length) });
    const headers = 'Tus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\n';
    return {
      head: headOf('PATCH', `/files/${id}`, headers),
      body: bytes,
      outcome: async () => `at ${await offsetOf(url, id)}`,
      received: (byteCount) => receivedBy(url, id, byteCount),
    };
  },
};

function headOf(method: string, path: string, headers = ''): string {
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}`;
}

/** Waits until the service is receiving this number of bodies. */
export async function receiving(url: string, bodies: number): Promise<void> {
  const line = `\ndeferred_uploads_receiving ${bodies}\n`;
  await eventually(`${bodies} bodies under way`, async () =>
    (await (await fetch(`${url}/metrics`)).text()).includes(line),
  );
}

async function receivedBy(url: string, id: string, byteCount: number): Promise<void> {
  await eventually(
    `${byteCount} bytes`,
    async () => (await getJson<Partial<Progress>>(`${url}/uploads/${id}/progress`)).body.bytes?.received === byteCount,
  );
}

async function stateOf(url: string, id: string): Promise<string> {
  const { body } = await getJson<Upload | Problem>(`${url}/uploads/${id}`);
  if ('code' in body) return 'nothing';
  return body.error === null ? body.state : `${body.state}, ${body.error.code}`;
}

/** Returns one chunk of a body that is sent in chunks. */
export function chunkOf(bytes: Buffer | string, extension = ''): Buffer {
  const content = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  return Buffer.concat([Buffer.from(`${content.length.toString(16)}${extension}\r\n`), content, Buffer.from('\r\n')]);
}

/** Ends a body that is sent in chunks. */
export const LAST_CHUNK = '0\r\n\r\n';
