import { ServiceError } from '../errors.ts';

/** A lower-case UUID of version 4 (RFC 9562 section 5.4). */
export const UPLOAD_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True for a lower-case UUID of version 4 (RFC 9562 section 5.4). */
export function isUploadId(text: string): boolean {
  return UPLOAD_ID.test(text);
}

/** The id itself; throws `bad_upload_id` (400) for anything that is none. */
export function requireUploadId(text: string | undefined): string {
  if (text !== undefined && isUploadId(text)) return text;
  throw new ServiceError('bad_upload_id', 'An upload id is a lower-case UUID of version 4.');
}
