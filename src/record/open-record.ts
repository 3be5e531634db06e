import { randomBytes } from 'node:crypto';
import type { ChangeOutcome, QueueLimits, RecordChanger } from './record-change.ts';
import type { RecordBounds } from './record-count.ts';
import type { UploadMetadata } from './record-fields.ts';

/** What is known of a file when its first bytes are about to be read. */
export interface NewUpload {
  id: string;
  fencingToken: string;
  fileName: string;
  totalBytes: number | null;
  /** As the client sent them, to be checked once the type is known; see `keptOptions`. `{}` where nothing is said. */
  options?: unknown;
  /** For a protocol in which a sender may be silent for long; the default is that of `RecordOptions`. */
  silenceMs?: number;
  /** Makes it a resumable upload, whose bytes may come in several requests. */
  metadata?: UploadMetadata;
}

/** What a file is, and what is to be made of it. */
export interface FileKind {
  type: string;
  options: unknown;
}

/** What is known once its bytes are durable. */
export interface StoredUpload extends FileKind {
  sizeBytes: number;
  /** Null where that is left to the worker. */
  sha256: string | null;
}

/** Makes the record, takes over from an earlier request, or starts a new life. See `UploadRecords.open`. */
export async function openRecord(
  changer: RecordChanger,
  upload: NewUpload,
  limits?: QueueLimits,
  bounds?: RecordBounds,
): Promise<ChangeOutcome> {
  return await changer.enter('receiving', [], 'open', upload.id, [
    upload.fencingToken,
    upload.totalBytes ?? undefined,
    upload.fileName,
    upload.silenceMs,
    upload.metadata === undefined ? undefined : JSON.stringify(upload.metadata),
    JSON.stringify(upload.options ?? {}),
    randomBytes(16).toString('base64url'),
    limits === undefined ? undefined : JSON.stringify(limits),
    bounds === undefined ? undefined : JSON.stringify(bounds),
    changer.silenceMs,
  ]);
}
