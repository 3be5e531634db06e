import type { Upload } from '../wire/documents.ts';
import { runAttempt } from './attempt.ts';
import { retry } from './retry.ts';
import { needsNoMoreBytes, readUpload, type SendOptions } from './send-file.ts';
import { asUploadError, clientError } from './upload-error.ts';

/** What every request of the tus protocol bears (tus.io/protocols/resumable-upload, version 1.0). */
const PROTOCOL = { 'Tus-Resumable': '1.0.0' };

/** The server ends a silent request after half of this, and keeps what came of it. */
const SILENCE_MS = 60_000;

/** One file that goes in several requests. */
export interface SendPartsOptions extends SendOptions {
  /** The longest body of one request. */
  partBytes: number;
}

/**
 * Sends the bytes by the tus protocol: what has arrived is never sent again, whatever happens in between.
 * Resolves when the server has them all; with the Upload where that was over already.
 */
export async function sendInParts(options: SendPartsOptions): Promise<Upload | undefined> {
  let offset: number | null = null;
  while (offset === null || offset < options.file.blob.size) {
    const from: number | null = offset;
    const isUnsure: boolean = options.isKnown && from === null;
    // Each step has a patience of its own: whoever gets on, however slowly, is not given up.
    const next = await retry(
      (failures): Promise<number | Upload> => sendOn(options, from, isUnsure || failures > 0),
      options,
    );
    if (typeof next === 'object') return next;
    offset = next;
  }
  return undefined;
}

/** Gets on by one part, or finds that the server is further than `offset`; null while the upload is not made yet. */
async function sendOn(options: SendPartsOptions, offset: number | null, isUnsure: boolean): Promise<number | Upload> {
  if (!isUnsure) return await patch(options, offset ?? (await create(options)));
  const found = await findOffset(options);
  if (typeof found === 'object' && found !== null) return found;
  if (found !== null && found > (offset ?? -1)) return found;
  return await patch(options, found ?? (await create(options)));
}

/** The Upload where no byte is wanted any more; null where the upload has to be made, or made anew. */
async function findOffset(options: SendPartsOptions): Promise<number | Upload | null> {
  const { http, id, signal } = options;
  try {
    return offsetIn(await http.headers(`/files/${id}`, { method: 'HEAD', headers: PROTOCOL, signal }));
  } catch (error) {
    const { status } = asUploadError(error);
    if (status === 404) return null;
    if (status !== 410) throw error;
    const standing = await readUpload(options);
    return standing && needsNoMoreBytes(standing) ? standing : null;
  }
}

async function create({ http, id, file: { blob, name, options }, signal }: SendPartsOptions): Promise<number> {
  const metadata = {
    uploadId: id,
    filename: name,
    ...(options === undefined ? {} : { options: JSON.stringify(options) }),
  };
  const headers = { ...PROTOCOL, 'Upload-Length': String(blob.size), 'Upload-Metadata': encodeMetadata(metadata) };
  await http.headers('/files', { method: 'POST', headers, signal });
  return 0;
}

async function patch(options: SendPartsOptions, offset: number): Promise<number> {
  const { http, id, file, partBytes } = options;
  const body = file.blob.slice(offset, offset + partBytes);
  const headers = { ...PROTOCOL, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' };
  const send = (signal: AbortSignal): Promise<Headers> =>
    http.headers(`/files/${id}`, { method: 'PATCH', headers, body, signal });
  const newOffset = offsetIn(await runAttempt(send, { ...options, silenceMs: SILENCE_MS }));
  // The request had to make way before anything of it had come.
  if (newOffset <= offset) throw clientError('connection_lost');
  return newOffset;
}

function offsetIn(headers: Headers): number {
  const offset = headers.get('Upload-Offset');
  if (offset === null || !/^\d{1,15}$/.test(offset)) throw clientError('unexpected_answer');
  return Number(offset);
}

/** Section "Upload-Metadata": names and values in base64, the values in UTF-8. */
function encodeMetadata(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${name} ${base64(value)}`)
    .join(',');
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}
