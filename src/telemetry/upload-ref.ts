import { createHash } from 'node:crypto';

const REF_LENGTH = 12;

/** Any UUID, so that a malformed id that contains a whole one is replaced too. */
const UUIDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/**
 * What a log line names an upload by: the first 12 hex characters of the SHA-256 of its id. The id itself gives the
 * right to read, cancel and delete the upload, so it never stands in a log.
 */
export function uploadRef(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, REF_LENGTH);
}

/** A text with every upload id in it replaced by `:id`. */
export function withoutIds(text: string): string {
  return text.replace(UUIDS, ':id');
}

/** The upload that a text names first, as `uploadRef` of its id; undefined if it names none. */
export function uploadRefIn(text: string): string | undefined {
  const [id] = text.match(UUIDS) ?? [];
  return id === undefined ? undefined : uploadRef(id.toLowerCase());
}
