import { isFinalState, type Progress, type Upload } from '../wire/documents.ts';
import { linksOf, toProgress } from './progress.ts';
import type { ReadRecord, ReadWithResult } from './read-record.ts';

/** The name that is given to a file without a name. */
export const UNNAMED_FILE = 'file';

/**
 * Builds the Upload document. The record of a deleted upload has lost the name, type and result of the file. `timedOut`
 * marks the timeout value of a wait.
 */
export function toUpload({ record, queuePosition, nowMs }: ReadWithResult, timedOut = false): Upload {
  return {
    id: record.id,
    state: record.state,
    version: record.version,
    file: {
      name: record.fileName || UNNAMED_FILE,
      type: record.type,
      size: record.receivedBytes,
      sha256: record.sha256,
    },
    progress: toProgress(record, { nowMs, queuePosition, timedOut: timedOut && !isFinalState(record.state) }),
    result: record.result,
    error: record.error,
    createdAt: new Date(record.createdAtMs).toISOString(),
    updatedAt: new Date(record.updatedAtMs).toISOString(),
    expiresAt:
      isFinalState(record.state) && record.expiresAtMs !== null ? new Date(record.expiresAtMs).toISOString() : null,
    publicId: record.publicId,
    tenant: record.tenant,
    metadata: record.appMetadata,
    links: linksOf(record.id, record.publicId, record.stored),
  };
}

/** Returns the Progress of a record that was just read. */
export function presentProgress({ record, queuePosition, nowMs }: ReadRecord): Progress {
  return toProgress(record, { nowMs, queuePosition });
}
