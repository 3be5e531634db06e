import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';

/**
 * Converts an error of the form parser to `body_cut_short` or `bad_multipart` (400). A `ServiceError` stays unchanged.
 */
export function asFormError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const message = error instanceof Error ? error.message : '';
  if (message === 'Unexpected end of form' || message === 'Unexpected end of file') {
    return new ServiceError(
      'body_cut_short',
      'The body ended before the closing boundary that Content-Type names. Send it again, ending with this boundary.',
      { cause: error },
    );
  }
  return malformedHead(error);
}

/** Returns the error for the headers of a part. */
export function malformedHead(cause?: unknown): ServiceError {
  return new ServiceError(
    'bad_multipart',
    'The headers of a part are malformed or have more than 16384 bytes. Correct them and send the form again.',
    { cause },
  );
}

/** Returns the error for a line that begins with the boundary and goes on. RFC 2046 section 5.1.1 forbids it. */
export function boundaryInContent(): ServiceError {
  return new ServiceError(
    'bad_multipart',
    'A line begins with the boundary and goes on with other characters. End it with CRLF, or use another boundary.',
  );
}

/** True for the media type of a nested form. */
export function isForm(mimeType: string): boolean {
  return mimeType.startsWith('multipart/');
}

/** Returns the error for a nested form, which RFC 7578 section 4.3 no longer allows. */
export function nestedForm(): ServiceError {
  return new ServiceError(
    'bad_multipart',
    'A part is itself multipart. Send each file as a separate part; the parts may have the same field name.',
  );
}

/** True for an encoding that changes the bytes of a file. RFC 7578 section 4.7 no longer allows it. */
export function isTransferEncoded(encoding: string): boolean {
  return /^(base64|quoted-printable)$/i.test(encoding.trim());
}

/** Returns the error for an encoded part: without it the encoded text would be stored. */
export function transferEncoded(encoding: string): ServiceError {
  return new ServiceError(
    'unsupported_encoding',
    `A part is encoded as ${encoding.trim()}. Send its bytes unchanged, without Content-Transfer-Encoding.`,
  );
}

/** Advice in error details: how to send a file in a form. */
export const AS_FILE = 'Send Content-Disposition: form-data; name="file"; filename="…".';

/** Returns the error for a file without a file name. */
export function namelessFile(mimeType?: string): ServiceError {
  const part = mimeType === undefined ? 'A part with binary content' : `A part of type ${mimeType}`;
  return new ServiceError('bad_multipart', `${part} has no file name. ${AS_FILE}`);
}

/** Returns `field_too_large` (413). */
export function fieldTooLarge(maxFieldBytes: number): ServiceError {
  return new ServiceError(
    'field_too_large',
    `A field is longer than ${maxFieldBytes} bytes, the maximum. Send a shorter value, or a file with filename="…".`,
  );
}

/** Returns `too_many_files` (413). */
export function tooManyFiles(maxFiles: number): ServiceError {
  return new ServiceError(
    'too_many_files',
    `The request has too many files. Send at most ${maxFiles} files in one request.`,
  );
}

/** Returns `too_many_fields` (413). */
export function tooManyFields(maxFields: number): ServiceError {
  return new ServiceError(
    'too_many_fields',
    `The request has too many fields. Send at most ${maxFields} fields in one request.`,
  );
}

/** Returns the error for more parts than both limits together. Parts that are neither file nor field count too. */
export function tooManyParts(maxParts: number): ServiceError {
  return new ServiceError(
    'too_many_fields',
    `The request has too many parts. Send at most ${maxParts} parts in one request.`,
  );
}

/** The parameter `boundary`, with a quoted value or a token. */
const BOUNDARY = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/gi;

/** Visible ASCII without the characters that parsers unescape in different ways. Some clients send `*****`. */
const PLAIN_BOUNDARY = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

/** The limit of RFC 2046 section 5.1.1. */
const MAX_BOUNDARY_LENGTH = 70;

/**
 * Returns the boundary of a form. There must be exactly one: with two, a proxy in front may have used the other one.
 * Throws `missing_boundary`, or `bad_multipart` for an invalid one (400).
 */
export function requireBoundary(request: IncomingMessage): string {
  const types = request.headersDistinct['content-type'] ?? [request.headers['content-type'] ?? ''];
  const boundaries = types.flatMap((type) =>
    [...type.matchAll(BOUNDARY)].map(([, quoted, token]) => quoted ?? token ?? ''),
  );
  const [boundary = ''] = boundaries;
  if (boundary === '')
    throw new ServiceError(
      'missing_boundary',
      'The Content-Type has no boundary. Send Content-Type: multipart/form-data; boundary=….',
    );
  if (boundaries.length > 1 || types.length > 1)
    throw new ServiceError(
      'bad_multipart',
      'The request has more than one Content-Type or boundary. Send one Content-Type with one boundary.',
    );
  if (boundary.length > MAX_BOUNDARY_LENGTH)
    throw new ServiceError('bad_multipart', `The boundary is too long. Use at most ${MAX_BOUNDARY_LENGTH} characters.`);
  if (!PLAIN_BOUNDARY.test(boundary))
    throw new ServiceError(
      'bad_multipart',
      'The boundary has unusual characters. Use only letters, digits and hyphens.',
    );
  return boundary;
}
