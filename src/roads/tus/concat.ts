import { ServiceError } from '../../errors.ts';
import { isUploadId } from '../../http/parameters.ts';
import type { UploadMetadata } from '../../record/record-fields.ts';

/** The role of an upload in a concatenation (tus 1.0, "Concatenation"). */
export type Concat = { role: 'partial' } | { role: 'final'; ids: readonly string[] };

/** Maximum number of partial uploads in one file. Clients use about four. */
const MOST_PARTIALS = 64;

/** The name under which the role is kept among the metadata. A client cannot send a name with a blank. */
const KEPT_NAME = ' concat';

/** The address of a partial upload, relative or absolute, below any mount path. */
const ADDRESS = /^(?:https?:\/\/[^/]+)?(?:\/[^/]+)*\/files\/([^/?#]+)$/i;

/**
 * Returns the role in `Upload-Concat`, undefined without the header. Throws `bad_request` (400) for a malformed one.
 */
export function uploadConcat(header: string | undefined): Concat | undefined {
  if (header === undefined) return undefined;
  const [role = '', list, ...rest] = header.trim().split(';');
  if (role === 'partial' && list === undefined) return { role };
  if (role !== 'final' || list === undefined || rest.length > 0)
    throw badConcat('It must be partial, or final followed by a semicolon and addresses.');
  const ids = list
    .split(' ')
    .filter((address) => address !== '')
    .map(idIn);
  if (ids.length === 0 || ids.length > MOST_PARTIALS)
    throw badConcat(`A file must have 1 to ${MOST_PARTIALS} partial uploads.`);
  if (new Set(ids).size < ids.length) throw badConcat('Each upload must appear once.');
  return { role, ids };
}

/** Returns the metadata with the role of its upload. */
export function withConcat(metadata: UploadMetadata, concat: Concat | undefined): UploadMetadata {
  return concat === undefined ? metadata : { ...metadata, [KEPT_NAME]: concatHeader(concat) };
}

/** Returns the metadata as the client has sent it, and the value of `Upload-Concat`. */
export function splitConcat(metadata: UploadMetadata): { metadata: UploadMetadata; concat: string | undefined } {
  const { [KEPT_NAME]: concat, ...rest } = metadata;
  return { metadata: rest, concat: concat ?? undefined };
}

/** True for an upload that is only a part of a later one. */
export function isPartial({ metadata }: { metadata: UploadMetadata | null }): boolean {
  return metadata?.[KEPT_NAME] === 'partial';
}

function concatHeader(concat: Concat): string {
  return concat.role === 'partial' ? 'partial' : `final;${concat.ids.map((id) => `/files/${id}`).join(' ')}`;
}

function idIn(address: string): string {
  const id = ADDRESS.exec(address)?.[1] ?? '';
  if (isUploadId(id)) return id;
  throw badConcat('An address is not that of an upload below /files.');
}

function badConcat(reason: string): ServiceError {
  return new ServiceError('bad_request', `Upload-Concat is wrong. ${reason}`);
}
