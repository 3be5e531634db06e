import { ServiceError } from '../errors.ts';

const TUS_HINT = 'Turn off chunks in the client, or send the file in parts to /files with the tus protocol.';

/** For clients that do not work without chunks either, because they do not accept the answer 202. */
const TUS_ONLY_HINT = 'Send the file to /files with the tus protocol, for instance with tus-js-client.';

/** The parameters in which clients send the number of parts of a file, each part as a form of its own. */
const PART_COUNTS: Readonly<Record<string, string>> = {
  dztotalchunkcount: TUS_HINT, // Dropzone
  flowTotalChunks: TUS_HINT, // flow.js
  chunks: TUS_HINT, // Plupload
  qqtotalparts: TUS_ONLY_HINT, // Fine Uploader
  resumableTotalChunks: TUS_ONLY_HINT, // Resumable.js
};

/**
 * Throws `bad_request` (400) if a field or query parameter says that the request has only a part of a file. Otherwise
 * the part would be stored as the whole file. Also throws for every file of Resumable.js: it sends a request again up
 * to 100 times if the answer is 202, and each copy would be stored as a new upload.
 */
export function refusePartOfFile(name: string, value: string): void {
  const hint = Object.hasOwn(PART_COUNTS, name) ? PART_COUNTS[name] : undefined;
  if (!hint || !/^\d{1,9}$/.test(value)) return;
  if (Number(value) > 1) {
    throw new ServiceError('bad_request', `The request has only a part of a file (${name}=${value}). ${hint}`);
  }
  if (name === 'resumableTotalChunks') {
    throw new ServiceError('bad_request', `Resumable.js repeats requests that are answered with 202. ${hint}`);
  }
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
