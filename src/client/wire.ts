import type { Limits, Problem, Progress, ProgressList, UnwatchableUpload, Upload } from '../wire/documents.ts';

/**
 * True for an Upload document. Checks only enough fields to distinguish an answer of this service from a proxy's page.
 */
export function isUpload(value: unknown): value is Upload {
  return isRecord(value) && typeof value['id'] === 'string' && isRecord(value['file']) && isProgress(value['progress']);
}

/** True for a Progress document. */
export function isProgress(value: unknown): value is Progress {
  return (
    isRecord(value) &&
    typeof value['id'] === 'string' &&
    typeof value['state'] === 'string' &&
    typeof value['version'] === 'number' &&
    typeof value['percent'] === 'number' &&
    typeof value['final'] === 'boolean'
  );
}

/** True for a Problem document (RFC 9457) with a code. */
export function isProblem(value: unknown): value is Problem {
  return (
    isRecord(value) &&
    typeof value['code'] === 'string' &&
    typeof value['status'] === 'number' &&
    typeof value['detail'] === 'string'
  );
}

/** True for the answer to a progress request for several uploads. */
export function isProgressList(value: unknown): value is ProgressList {
  if (!isRecord(value)) return false;
  const uploads: unknown = value['uploads'];
  return Array.isArray(uploads) && uploads.every((item: unknown) => isProgress(item) || isUnwatchable(item));
}

/** True for the answer of `GET /limits`. */
export function isLimits(value: unknown): value is Limits {
  return isRecord(value) && typeof value['maxFileBytes'] === 'number' && Array.isArray(value['types']);
}

/** True for the entry of an unknown or deleted upload in that answer. */
export function isUnwatchable(value: unknown): value is UnwatchableUpload {
  return isRecord(value) && typeof value['id'] === 'string' && isProblem(value['error']);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
