import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';
import { sendContinue } from '../http/expect-continue.ts';
import { StreamChunks } from './stream-chunks.ts';

/**
 * Reads the chunks of a raw request body. The first `next` sends 100 Continue. Ends normally only if the body is
 * complete. Throws `upload_interrupted` (400) if the client is gone, and the reason of the signal if that fires. The
 * request stays open then, so that it can be answered.
 */
export function readBody(request: IncomingMessage, signal: AbortSignal): StreamChunks {
  return new StreamChunks(request, interrupted, signal, () => sendContinue(request));
}

/** Returns `upload_interrupted` (400). */
export function interrupted(cause?: unknown): ServiceError {
  return new ServiceError(
    'upload_interrupted',
    'The connection broke before the upload was complete. Send the file again.',
    { cause },
  );
}

/** Counts the bytes of a file and throws if they exceed its limit. */
export class ByteLimiter {
  readonly #maxBytes: number;
  readonly #tooLarge: () => ServiceError;
  #bytes = 0;

  /** @param tooLarge Default: `file_too_large` (413). */
  constructor(maxBytes: number, tooLarge: () => ServiceError = () => fileTooLarge(maxBytes)) {
    this.#maxBytes = maxBytes;
    this.#tooLarge = tooLarge;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts bytes. Throws the error of `tooLarge` if there are too many. */
  add(byteCount: number): void {
    this.#bytes += byteCount;
    if (this.#bytes > this.#maxBytes) throw this.#tooLarge();
  }
}

/** Returns `empty_file` (400). */
export function emptyFile(): ServiceError {
  return new ServiceError('empty_file', 'The file is empty. Send a file that has bytes.');
}

/** Returns `file_too_large` (413). */
export function fileTooLarge(maxBytes: number): ServiceError {
  return new ServiceError(
    'file_too_large',
    `The file has more than ${maxBytes} bytes, the maximum. Send a smaller file.`,
  );
}

/** Throws `unsupported_encoding` (415) for a compressed body. */
export function requireIdentityEncoding(request: IncomingMessage): void {
  const { 'content-encoding': content = '', 'transfer-encoding': transfer = 'chunked' } = request.headers;
  if (/^(identity)?$/i.test(content.trim()) && /^chunked$/i.test(transfer.trim())) return;
  // RFC 9110 section 15.5.16: the answer names the supported codings.
  const headers = { 'Accept-Encoding': 'identity' };
  throw new ServiceError(
    'unsupported_encoding',
    'The body is encoded. Send it without Content-Encoding, and without a Transfer-Encoding other than chunked.',
    { headers },
  );
}

/** Returns `request_too_large` (413). */
export function requestTooLarge(maxRequestBytes: number): ServiceError {
  return new ServiceError(
    'request_too_large',
    `The request has more than ${maxRequestBytes} bytes, the maximum. Send fewer files in one request.`,
  );
}
