import type {
  DirectPart,
  DirectUploadDocument,
  Limits,
  Problem,
  Progress,
  ProgressList,
  StoredPartsDocument,
  UnwatchableUpload,
  Upload,
} from '../wire/documents.ts';

/** The result of `typeof` for a member that is always present and never null. */
type TypeName<V> = null extends V
  ? never
  : undefined extends V
    ? never
    : V extends string
      ? 'string'
      : V extends number
        ? 'number'
        : V extends boolean
          ? 'boolean'
          : 'object';

/**
 * Members that an answer of this service has and an answer of a proxy does not have. The types of documents are
 * inferred from their schemas, so a name or a type that differs from its schema does not compile.
 */
type Members<T> = { readonly [K in keyof T]?: TypeName<T[K]> };

const PROGRESS: Members<Progress> = {
  id: 'string',
  state: 'string',
  version: 'number',
  percent: 'number',
  final: 'boolean',
};
const UPLOAD: Members<Upload> = { id: 'string', file: 'object', progress: 'object' };
const PROBLEM: Members<Problem> = { code: 'string', status: 'number', detail: 'string' };
const UNWATCHABLE: Members<UnwatchableUpload> = { id: 'string', error: 'object' };
const LIMITS: Members<Limits> = { maxFileBytes: 'number', types: 'object' };

/** True for an Upload document. */
export function isUpload(value: unknown): value is Upload {
  return has(value, UPLOAD) && isProgress(value['progress']);
}

/** True for a Progress document. */
function isProgress(value: unknown): value is Progress {
  return has(value, PROGRESS);
}

/** True for a Problem document (RFC 9457) with a code. */
export function isProblem(value: unknown): value is Problem {
  return has(value, PROBLEM);
}

/** True for the answer to a progress request for several uploads. */
export function isProgressList(value: unknown): value is ProgressList {
  if (!isRecord(value)) return false;
  const uploads: unknown = value['uploads'];
  return Array.isArray(uploads) && uploads.every((item: unknown) => isProgress(item) || isUnwatchable(item));
}

/** True for the entry of an unknown or deleted upload in that answer. */
function isUnwatchable(value: unknown): value is UnwatchableUpload {
  return has(value, UNWATCHABLE) && isProblem(value['error']);
}

/** True for the answer that begins an upload straight to the bucket. */
export function isDirectUpload(value: unknown): value is DirectUploadDocument {
  return has(value, { upload: 'object', partSize: 'number', parts: 'object' });
}

/** True for addresses of parts. */
export function isDirectParts(value: unknown): value is { parts: DirectPart[] } {
  return has(value, { parts: 'object' });
}

/** True for the parts that the bucket has. */
export function isStoredParts(value: unknown): value is StoredPartsDocument {
  return has(value, { partSize: 'number', parts: 'object' });
}

/** True for the answer of `GET /limits`. */
export function isLimits(value: unknown): value is Limits {
  return has(value, LIMITS);
}

function has(value: unknown, members: Readonly<Record<string, string | undefined>>): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  return Object.entries(members).every(([name, type]) => typeof value[name] === type && value[name] !== null);
}

/** True for any object, including an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
