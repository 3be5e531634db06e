import type { Upload } from '../wire/documents.ts';
import { type AttemptRequest, runAttempt, SilenceLimit } from './attempt.ts';
import { retry } from './retry.ts';
import { needsNoMoreBytes, readUpload, type SendOptions } from './send-file.ts';
import { asUploadError, clientError } from './upload-error.ts';

/** The header of every request of the tus protocol (tus.io/protocols/resumable-upload, version 1.0). */
const PROTOCOL = { 'Tus-Resumable': '1.0.0' };

/** Twice the time after which the server ends a silent request. The server keeps the received bytes. */
const SILENCE_MS = 60_000;

/** A file that is sent in several requests. */
export interface SendPartsOptions extends SendOptions {
  /** The largest body of one request. */
  partBytes: number;
}

interface PartOptions extends SendPartsOptions {
  silence: SilenceLimit;
}

/**
 * Sends the file by the tus protocol, which never sends a received byte again. Resolves when the server has all bytes,
 * with the Upload if it had already ended.
 */
export async function sendInParts(given: SendPartsOptions): Promise<Upload | undefined> {
  const options: PartOptions = { ...given, silence: new SilenceLimit(SILENCE_MS) };
  let offset: number | null = null;
  while (offset === null || offset < options.file.blob.size) {
    const from: number | null = offset;
    const isUnsure: boolean = options.isKnown && from === null;
    // Each part has its own retries, so a slow upload is not given up as long as it advances.
    const next = await retry(
      (failures): Promise<number | Upload> => sendNextPart(options, from, isUnsure || failures > 0),
      options,
    );
    if (typeof next === 'object') return next;
    offset = next;
  }
  return undefined;
}

/** Sends one part, or finds that the server already has more than `offset`. A null offset creates the upload first. */
async function sendNextPart(options: PartOptions, offset: number | null, isUnsure: boolean): Promise<number | Upload> {
  if (!isUnsure) return await patch(options, offset ?? (await create(options)));
  const found = await findOffset(options);
  if (typeof found === 'object' && found !== null) return found;
  if (found !== null && found > (offset ?? -1)) return found;
  return await patch(options, found ?? (await create(options)));
}

/** Resolves with the Upload if it needs no more bytes, or with null if the upload must be created. */
async function findOffset(options: SendPartsOptions): Promise<number | Upload | null> {
  const { http, id, signal } = options;
  try {
    return offsetIn(await http.headers(`/files/${id}`, { method: 'HEAD', headers: PROTOCOL, signal }));
  } catch (error) {
    const { status } = asUploadError(error);
    if (status === 404) return null;
    if (status !== 410) throw error;
    const existing = await readUpload(options);
    return existing && needsNoMoreBytes(existing) ? existing : null;
  }
}

async function create({ http, tickets, id, file, signal }: SendPartsOptions): Promise<number> {
  const { blob, name, options } = file;
  const metadata = {
    uploadId: id,
    filename: name,
    ...(options === undefined ? {} : { options: JSON.stringify(options) }),
  };
  const headers = { ...PROTOCOL, 'Upload-Length': String(blob.size), 'Upload-Metadata': encodeMetadata(metadata) };
  await tickets.use(
    (ticket) => http.headers('/files', { method: 'POST', headers: { ...headers, ...ticket }, signal }),
    signal,
  );
  return 0;
}

async function patch(options: PartOptions, offset: number): Promise<number> {
  const { http, id, file, partBytes } = options;
  const body = file.blob.slice(offset, offset + partBytes);
  const headers = { ...PROTOCOL, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' };
  const send = (request: AttemptRequest): Promise<Headers> =>
    http.headers(`/files/${id}`, { method: 'PATCH', headers, body, ...request });
  const newOffset = offsetIn(await runAttempt(send, options));
  // Another request replaced this one before any byte arrived.
  if (newOffset <= offset) throw clientError('connection_lost');
  return newOffset;
}

function offsetIn(headers: Headers): number {
  const offset = headers.get('Upload-Offset');
  if (offset === null || !/^\d{1,15}$/.test(offset)) throw clientError('unexpected_answer');
  return Number(offset);
}

/** Returns pairs of a name and a base64 value (tus, section "Upload-Metadata"). */
function encodeMetadata(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${name} ${base64(value)}`)
    .join(',');
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}
