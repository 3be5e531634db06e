import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { ServiceError } from '../../errors.ts';

/** The version of the draft that this service implements. */
export const INTEROP_VERSION = '8';

/** Drafts before this version have no media type for the requests that append. */
const FIRST_WITH_MEDIA_TYPE = 6;

/** The media type of a request that appends. */
export const PARTIAL_UPLOAD = 'application/partial-upload';

/** The facts about an upload in the header fields of a request. */
export interface UploadFields {
  /** True if the upload is complete after this request. Undefined without the field. */
  isComplete: boolean | undefined;
  offset: number | undefined;
  /** The length of the whole file: `Upload-Length`, or computed from the request that completes the upload. */
  totalBytes: number | undefined;
}

/**
 * Reads the fields. A field with another type of value is ignored (RFC 9651, and the draft). Throws `bad_request` (400)
 * if the lengths disagree.
 * @param start where the body of the request begins in the file, if it creates the upload.
 */
export function uploadFields(request: IncomingMessage, start?: number): UploadFields {
  const { headers } = request;
  const complete = valueOf(headers, 'upload-complete');
  const isComplete = complete === '?1' ? true : complete === '?0' ? false : undefined;
  const offset = start ?? wholeNumber(valueOf(headers, 'upload-offset'));
  const bodyBytes = wholeNumber(headers['content-length']);
  const announced = wholeNumber(valueOf(headers, 'upload-length'));
  const followed =
    isComplete === true && bodyBytes !== undefined && offset !== undefined ? offset + bodyBytes : undefined;
  if (announced !== undefined && followed !== undefined && announced !== followed) throw inconsistentLength();
  return { isComplete, offset, totalBytes: announced ?? followed };
}

/** Returns the error of the section "Inconsistent Length" of the draft. */
export function inconsistentLength(): ServiceError {
  return new ServiceError(
    'bad_request',
    'The lengths of this upload disagree. Upload-Length, Upload-Offset and Content-Length must fit together.',
  );
}

/** Throws for another media type than that of the draft. Older drafts, which tus-js-client implements, have none. */
export function requirePartialUpload({ headers }: IncomingMessage): void {
  const version = wholeNumber(valueOf(headers, 'upload-draft-interop-version'));
  if (version !== undefined && version < FIRST_WITH_MEDIA_TYPE) return;
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === PARTIAL_UPLOAD) return;
  throw new ServiceError(
    'not_offset_stream',
    `The body has another Content-Type. Send it with Content-Type: ${PARTIAL_UPLOAD}.`,
  );
}

/** Returns the value of `Upload-Limit`. */
export function uploadLimit(maxBytes: number, leftMs: number): string {
  return `max-size=${maxBytes}, max-age=${Math.max(0, Math.floor(leftMs / 1000))}`;
}

/** Returns the text of a field without parameters. */
function valueOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  return headers[name]?.toString().split(';')[0]?.trim();
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
