import { ServiceError } from '../errors.ts';

/**
 * The parameters in which clients send the number of parts of a file, each part as a form of its own: Dropzone,
 * Resumable.js, flow.js, Fine Uploader and Plupload.
 */
const PART_COUNTS: ReadonlySet<string> = new Set([
  'dztotalchunkcount',
  'resumableTotalChunks',
  'flowTotalChunks',
  'qqtotalparts',
  'chunks',
]);

const HINT = 'Turn off chunks in the client, or send the file in parts to /files with the tus protocol.';

/**
 * Throws `bad_request` (400) if a field or query parameter says that the request has only a part of a file. Otherwise
 * the part would be stored as the whole file.
 */
export function refusePartOfFile(name: string, value: string): void {
  if (!PART_COUNTS.has(name) || !/^\d{1,9}$/.test(value) || Number(value) < 2) return;
  throw new ServiceError('bad_request', `The request has only a part of a file (${name}=${value}). ${HINT}`);
}

/**
 * Throws `bad_request` (400) for a `Content-Range`. RFC 9110 section 14.5: a server without support for partial PUT
 * must reject it, not store the part as the whole.
 * @param what the request or part that has the header.
 */
export function refuseContentRange(header: string | undefined, what: string): void {
  if (header === undefined) return;
  throw new ServiceError(
    'bad_request',
    `A ${what} must have the whole file, without Content-Range. Send a file in parts to /files with the tus protocol.`,
  );
}
