import { hash } from 'node:crypto';

const REF_LENGTH = 12;

/** Any UUID, so that a malformed id that contains a whole one is found too. */
export const UUIDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/**
 * Returns the name of an upload in logs: the first 12 hex characters of the SHA-256 of its id. Logs never contain the
 * id itself, because it gives the right to read, cancel and delete the upload.
 */
export function uploadRef(id: string): string {
  return hash('sha256', id).slice(0, REF_LENGTH);
}

/** Returns the `uploadRef` of the first upload id in a text; undefined if there is none. */
export function uploadRefIn(text: string): string | undefined {
  const [id] = text.match(UUIDS) ?? [];
  return id === undefined ? undefined : uploadRef(id.toLowerCase());
}
