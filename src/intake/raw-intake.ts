import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { asOutcome, ServiceError } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';
import { asSeen } from '../record/read-record.ts';
import type { UploadRecord } from '../record/record-fields.ts';
import { originalKey } from '../storage/keys.ts';
import { sha256Of } from '../storage/sha256.ts';
import type { Storage } from '../storage/storage.ts';
import { readBody } from './body.ts';
import { fileTooLarge } from './byte-limiter.ts';
import { IncomingUpload, type FileAnnouncement, type IntakeParts } from './incoming-upload.ts';
import type { ReceivedUpload } from './read-received.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** A raw request body as one file. */
export interface RawFile extends FileAnnouncement {
  request: IncomingMessage;
  maxBytes: number;
  signal: AbortSignal;
}

/**
 * Takes the body of a PUT as the file with the client's id. Sent again with the bytes that are stored
 * already it is the same upload, with no second job; with others it throws `upload_conflict` (409).
 * A request that is still receiving under the id is taken over; after failed, cancelled or discarded
 * the upload starts clean; after DELETE it throws `upload_gone` (410). Where the queue has no room it throws
 * `queue_full` (503) or `too_many_queued_by_address` (429), before it reads anything where that shows early enough,
 * and then the id is as it was. Any other refusal leaves the record
 * `failed`, so that whoever watches the id learns why.
 */
export async function receiveRaw(parts: IntakeParts, scope: RequestScope, file: RawFile): Promise<ReceivedUpload> {
  const outcome = await IncomingUpload.open(parts, scope, file, parts.admission.queueLimits(scope.address));
  if ('existing' in outcome) {
    await compare(parts.storage, outcome.existing, file);
    return { id: file.id, known: asSeen(outcome.existing), isCurrent: false };
  }
  const upload = outcome.opened;
  const refused = new AbortController();
  const body = readBody(file.request, AbortSignal.any([file.signal, refused.signal]));
  try {
    await upload.receive(body, file.options, file.maxBytes, (refusal) => refused.abort(refusal));
    return { id: file.id, known: await upload.enqueue(), isCurrent: true };
  } catch (error) {
    const reason =
      error instanceof ServiceError
        ? error
        : new ServiceError('internal_error', 'The upload could not be stored.', { cause: error });
    const isRecorded = await refuse(scope, upload, reason);
    throw isRecorded ? asOutcome(reason, file.id, 'failed') : reason;
  }
}

/** False where the record is another request's by now, or cannot be reached. */
async function refuse({ log }: RequestScope, upload: IncomingUpload, reason: ServiceError): Promise<boolean> {
  try {
    return (await upload.refuse(reason)) !== undefined;
  } catch (error) {
    log.warn({ err: error, upload: uploadRef(upload.record.id) }, 'refusal not recorded');
    return false;
  }
}

/** Reads nothing where the length tells, and no further than the first byte beyond the stored file's size. */
async function compare(storage: Storage, existing: UploadRecord, file: RawFile): Promise<void> {
  const conflict = new ServiceError(
    'upload_conflict',
    'Another file is stored under this id. Send this one under an id of its own.',
    { id: file.id },
  );
  if (file.totalBytes !== null && file.totalBytes !== existing.receivedBytes) throw conflict;
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of readBody(file.request, file.signal)) {
    bytes += chunk.length;
    if (bytes > file.maxBytes) throw fileTooLarge(file.maxBytes);
    if (bytes > existing.receivedBytes) throw conflict;
    hash.update(chunk);
  }
  const sha256 = existing.sha256 ?? (await storedDigest(storage, existing));
  if (hash.digest('hex') !== sha256) throw conflict;
}

/** Of a file whose digest is left to a worker that has not come to it yet. */
async function storedDigest(storage: Storage, { id, fencingToken }: UploadRecord): Promise<string | undefined> {
  const stored = await storage.read(originalKey(id, fencingToken));
  return stored === undefined ? undefined : await sha256Of(stored);
}
