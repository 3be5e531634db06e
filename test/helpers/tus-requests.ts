import { once } from 'node:events';
import { request, type ClientRequest } from 'node:http';
import { Upload, type UploadOptions } from 'tus-js-client';

/** An answer to a request of the tus protocol. */
export interface TusResponse {
  status: number;
  headers: Headers;
  body: { code?: string; state?: string; detail?: string } | null;
}

const PROTOCOL = { 'Tus-Resumable': '1.0.0' };

/** Sends one request, with headers besides those of the protocol. */
export async function tusRequest(
  method: string,
  url: string,
  headers: Record<string, string> = {},
  body?: Buffer,
): Promise<TusResponse> {
  const response = await fetch(url, {
    method,
    headers: { ...PROTOCOL, ...headers },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? null : (JSON.parse(text) as TusResponse['body']),
  };
}

/** Creates an upload and returns its id. */
export async function createTus(url: string, headers: Record<string, string>): Promise<string> {
  const { status, headers: answered } = await tusRequest('POST', `${url}/files`, headers);
  const id = /^\/files\/([0-9a-f-]{36})$/.exec(answered.get('location') ?? '')?.[1];
  if (status !== 201 || id === undefined) throw new Error(`not created: ${status} ${String(answered.get('location'))}`);
  return id;
}

export async function patchTus(
  url: string,
  id: string,
  offset: number,
  bytes: Buffer,
  headers: Record<string, string> = {},
): Promise<TusResponse> {
  return await tusRequest('PATCH', `${url}/files/${id}`, { ...patchHeaders(offset), ...headers }, bytes);
}

/** Returns the offset from HEAD, or the status if there is no offset. */
export async function offsetOf(url: string, id: string): Promise<number | string> {
  const { status, headers } = await tusRequest('HEAD', `${url}/files/${id}`);
  const offset = headers.get('upload-offset');
  return offset === null ? `status ${status}` : Number(offset);
}

/** A PATCH that the test sends piece by piece, and may cut. */
export interface OpenPatch {
  readonly request: ClientRequest;
  send(bytes: Buffer): Promise<void>;
  /** Resolves with the answer, which may also come before the end of the body. */
  answer: Promise<{ status: number; offset: number | null } | 'broken'>;
}

/** Begins a PATCH that announces `length` bytes. */
export function openPatch(url: string, id: string, offset: number, length: number): OpenPatch {
  const headers = { ...PROTOCOL, ...patchHeaders(offset), 'Content-Length': String(length) };
  const patch = request(`${url}/files/${id}`, { method: 'PATCH', headers, agent: false });
  patch.flushHeaders();
  const answer = new Promise<{ status: number; offset: number | null } | 'broken'>((resolve) => {
    patch.on('response', (response) => {
      response.resume();
      const header = response.headers['upload-offset'];
      resolve({ status: response.statusCode ?? 0, offset: header === undefined ? null : Number(header) });
    });
    patch.on('error', () => resolve('broken'));
    patch.on('close', () => resolve('broken'));
  });
  return {
    request: patch,
    answer,
    async send(bytes) {
      if (!patch.write(bytes)) await once(patch, 'drain');
    },
  };
}

function patchHeaders(offset: number): Record<string, string> {
  return { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset) };
}

/** Returns `Upload-Metadata` with these values. */
export function metadataHeader(values: Record<string, string>): Record<string, string> {
  return {
    'Upload-Metadata': Object.entries(values)
      .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
      .join(','),
  };
}

/** Sends a file with tus-js-client and resolves with the id of the upload. */
export async function sendByTusClient(
  url: string,
  bytes: Upload['file'],
  options: UploadOptions = {},
): Promise<string> {
  return await new Promise((resolve, reject) => {
    const upload: Upload = new Upload(bytes, {
      endpoint: `${url}/files`,
      metadata: { filename: 'photo.jpg' },
      retryDelays: [0, 200, 400, 800, 1600],
      onError: reject,
      ...options,
      onSuccess: () => resolve(upload.url?.split('/').at(-1) ?? ''),
    });
    upload.start();
  });
}
