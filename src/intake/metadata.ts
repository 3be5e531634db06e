import type { Caller, JsonObject } from '../access/caller.ts';
import { ServiceError } from '../errors.ts';
import { MAX_METADATA_BYTES, metadataSchema } from '../wire/access-schemas.ts';

/** The name of the field of a form, of the query parameter and of the key in `Upload-Metadata`. */
export const METADATA_FIELD = 'metadata';

/** Maximum length as sent. JSON may have spaces and line breaks, which do not count for the size of metadata. */
const MAX_LENGTH = 2 * MAX_METADATA_BYTES;

/** True if the request may bring metadata of its own; otherwise it is ignored. */
export function mayBringMetadata({ via }: Pick<Caller, 'via'>): boolean {
  return via === 'key';
}

/**
 * Returns the caller with the metadata of its own request. Only the holder of an API key may send metadata. In all
 * other requests it is ignored like every unknown field: the metadata of a ticket comes from the application, and
 * clients of open mode may use the name for their own purposes. Throws `bad_metadata` (400).
 * @param json the metadata as sent: undefined if there is none, a list if it was sent more than once
 * @param where the first words of the detail, which name the place of the metadata
 */
export function withMetadata(caller: Caller, json: string | readonly string[] | undefined, where: string): Caller {
  if (!mayBringMetadata(caller) || json === undefined) return caller;
  if (typeof json === 'string') return { ...caller, metadata: parseMetadata(json, where) };
  throw new ServiceError('bad_metadata', `${where} appears more than once. Send it once.`);
}

function parseMetadata(json: string, where: string): JsonObject {
  if (json.length > MAX_LENGTH)
    throw new ServiceError('bad_metadata', `${where} has more than ${MAX_METADATA_BYTES} bytes. Send less.`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new ServiceError('bad_metadata', `${where} is not JSON. Send a JSON object.`, { cause: error });
  }
  const parsed = metadataSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ServiceError('bad_metadata', `${where} ${parsed.error.issues[0]?.message ?? 'is wrong'}.`);
}
