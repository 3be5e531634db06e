import { randomBytes } from 'node:crypto';
import type { UploadState } from '../wire/documents.ts';
import type { ChangeOutcome, QueueRoom, RecordChanger } from './record-change.ts';
import type { RecordBounds } from './record-count.ts';
import type { UploadMetadata } from './record-fields.ts';

/** What is known of a file when its first bytes are about to be read. */
export interface NewUpload {
  id: string;
  receipt: string;
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

/** The final states in which the client may send the same id again. */
export const RESTARTABLE_STATES: readonly UploadState[] = ['failed', 'cancelled', 'discarded'];

/** Makes the record, takes over from an earlier request, or starts a new life. See `UploadRecords.open`. */
export async function openRecord(
  changer: RecordChanger,
  upload: NewUpload,
  room?: QueueRoom,
  bounds?: RecordBounds,
): Promise<ChangeOutcome> {
  const total = upload.totalBytes === null ? '' : String(upload.totalBytes);
  const common = {
    fields: {
      state: 'receiving',
      stage: 'receive',
      received: '0',
      total,
      receipt: upload.receipt,
      name: upload.fileName,
      stored: '0',
      silence: upload.silenceMs === undefined ? '' : String(upload.silenceMs),
      metadata: upload.metadata === undefined ? '' : JSON.stringify(upload.metadata),
      options: JSON.stringify(upload.options ?? {}),
    },
    room,
    bounds,
    phase: true,
    wantsRecord: true,
  };
  const publicId = randomBytes(16).toString('base64url');
  const create = { id: upload.id, publicId };
  const outcome = await changer.change(upload.id, { ...common, from: ['receiving'], create });
  if (outcome.made || outcome.refusal !== 'final' || outcome.record?.state === 'completed') return outcome;
  const restarted = await changer.change(upload.id, { ...common, from: RESTARTABLE_STATES, create, clean: true });
  if (restarted.made) return { ...restarted, restarted: true };
  // Somebody else has begun the new life between the two; that one is taken over like any other.
  return restarted.record?.state === 'receiving'
    ? await changer.change(upload.id, { ...common, from: ['receiving'] })
    : restarted;
}
