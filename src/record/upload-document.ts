import { isFinalState, type Upload } from '../wire/documents.ts';
import { linksOf, toProgress } from './progress.ts';
import type { ReadRecord } from './read-record.ts';

/** The whole upload as a client sees it; a tombstone has none, so ask `deleted` first. `timedOut` says that it was waited for in vain. */
export function toUpload({ record, queuePosition, nowMs }: ReadRecord, timedOut = false): Upload {
  return {
    id: record.id,
    state: record.state,
    version: record.version,
    file: { name: record.fileName, type: record.type, size: record.receivedBytes, sha256: record.sha256 },
    progress: toProgress(record, { nowMs, queuePosition, timedOut: timedOut && !isFinalState(record.state) }),
    result: record.result,
    error: record.error,
    createdAt: new Date(record.createdAtMs).toISOString(),
    updatedAt: new Date(record.updatedAtMs).toISOString(),
    expiresAt:
      isFinalState(record.state) && record.expiresAtMs !== null ? new Date(record.expiresAtMs).toISOString() : null,
    publicId: record.publicId,
    links: linksOf(record.id, record.publicId, record.stored),
  };
}
