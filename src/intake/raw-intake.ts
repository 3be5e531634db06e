import type { IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { asOutcome, ServiceError } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';
import type { Kinds } from '../kinds/kinds.ts';
import { asSeen } from '../record/read-record.ts';
import type { UploadRecord } from '../record/record-fields.ts';
import { originalKey } from '../storage/keys.ts';
import { sha256Of } from '../storage/sha256.ts';
import type { Storage } from '../storage/storage.ts';
import { readBody, fileTooLarge } from './body.ts';
import { BodyDigests, type SentDigest } from './body-digests.ts';
import { IncomingUpload, type FileAnnouncement, type IntakeParts } from './incoming-upload.ts';
import { parseOptions } from './options.ts';
import type { ReceivedUpload } from './read-received.ts';
import { acceptSmall, type ReceiveHooks, type SmallFile } from './small-upload.ts';
import { readStart } from './whole-file.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** A raw request body as one file. */
export interface RawFile extends FileAnnouncement, ReceiveHooks {
  request: IncomingMessage;
  /** Digests that the client has computed of the body. Default none. */
  digests?: readonly SentDigest[];
  maxBytes: number;
  signal: AbortSignal;
  /** True if the file may be small enough to be stored before it has a record. Default false. */
  mayBeSmall?: boolean;
}

/**
 * Receives the body of a PUT as the file with the client's id.
 * - The same bytes and options again return the same upload, without a second job. Others throw `upload_conflict`
 * (409), invalid options `bad_options` (400), and bytes without a digest that was sent `digest_mismatch` (400).
 * - A request that is still receiving under the id is superseded.
 * - An upload that has failed or was cancelled or discarded begins again. A deleted one throws `upload_gone` (410).
 * - A caller without a valid ticket may only continue an upload. For all others this throws its refusal (401).
 * - If the queue is full, this throws `queue_full` (503) or `too_many_queued_by_address` (429), if possible before it
 * reads the body. The id stays unchanged then. Any other error ends the record as `failed`, so that clients that follow
 * the id receive the reason.
 */
export async function receiveRaw(parts: IntakeParts, scope: RequestScope, file: RawFile): Promise<ReceivedUpload> {
  const rejected = new AbortController();
  const read = readBody(file.request, AbortSignal.any([file.signal, rejected.signal]));
  let body: AsyncIterable<Buffer> = read;
  if (file.mayBeSmall === true) {
    const start = await readStart(read);
    const known = start.isWhole ? await acceptSmall(parts, scope, smallFileOf(file, start.chunks)) : undefined;
    if (known !== undefined) return { id: file.id, known, isCurrent: true };
    body = start.all;
  }
  const outcome = await IncomingUpload.open(parts, scope, file, parts.admission.queueLimits(scope.address));
  if ('existing' in outcome) {
    const options = optionsOf(scope, outcome.existing, file);
    requireSameOptions(parts.kinds, outcome.existing, { ...file, options });
    await requireSameBytes(parts.storage, outcome.existing, file, body);
    return { id: file.id, known: asSeen(outcome.existing), isCurrent: false };
  }
  const upload = outcome.opened;
  try {
    const onRejected = (rejection: ServiceError) => rejected.abort(rejection);
    await upload.receive(body, optionsOf(scope, upload.record, file), file.maxBytes, {
      onRejected,
      digests: file.digests ?? [],
    });
    return { id: file.id, known: await upload.enqueue(), isCurrent: true };
  } catch (error) {
    const reason =
      error instanceof ServiceError
        ? error
        : new ServiceError('internal_error', 'The server could not store the upload. Send the file again.', {
            cause: error,
          });
    const isRecorded = await reject(scope, upload, reason);
    throw isRecorded ? asOutcome(reason, file.id, 'failed') : reason;
  }
}

function smallFileOf(file: RawFile, chunks: readonly Buffer[]): SmallFile {
  const { options, maxBytes, digests = [], beforeQueued } = file;
  return { announced: file, chunks, options, maxBytes, digests, beforeQueued };
}

/** A retry without a ticket does not know the preset of the first ticket, so it keeps the options of the record. */
function optionsOf({ caller }: RequestScope, { allowed, options }: UploadRecord, file: RawFile): unknown {
  return caller.refusal !== undefined && allowed?.preset !== undefined ? options : file.options;
}

/** Returns false if another request owns the record, or if Redis does not respond. */
async function reject({ log }: RequestScope, upload: IncomingUpload, reason: ServiceError): Promise<boolean> {
  try {
    return (await upload.reject(reason)) !== undefined;
  } catch (error) {
    log.warn({ err: error, upload: uploadRef(upload.record.id) }, 'rejection not written');
    return false;
  }
}

/** Compares the options with their defaults, before the body is read: `{}` is the same as the defaults. */
function requireSameOptions(kinds: Kinds, existing: UploadRecord, { id, options }: RawFile): void {
  const kind = existing.type === null ? undefined : kinds.find(existing.type);
  if (kind === undefined) return;
  // The stored options were JSON, so these are compared as JSON too.
  const parsed: unknown = JSON.parse(JSON.stringify(parseOptions(kind, options)));
  if (isDeepStrictEqual(parsed, existing.options)) return;
  throw new ServiceError(
    'upload_conflict',
    'The upload with this id has other options. Send this file with a new id.',
    { id },
  );
}

/** Compares the length first. Reads at most one chunk beyond the size of the stored file. */
async function requireSameBytes(
  storage: Storage,
  existing: UploadRecord,
  file: RawFile,
  body: AsyncIterable<Buffer>,
): Promise<void> {
  const conflict = new ServiceError(
    'upload_conflict',
    'Another file is stored under this id. Send this one with a new id.',
    { id: file.id },
  );
  if (file.totalBytes !== null && file.totalBytes !== existing.receivedBytes) throw conflict;
  const hash = new BodyDigests(file.digests ?? [], ['sha256']);
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > file.maxBytes) throw fileTooLarge(file.maxBytes);
    if (bytes > existing.receivedBytes) throw conflict;
    hash.update(chunk);
  }
  hash.requireRight();
  const sha256 = existing.sha256 ?? (await storedDigest(storage, existing));
  if (hash.sha256 !== sha256) throw conflict;
}

/** Computes the digest of a stored file whose worker has not computed it yet. */
async function storedDigest(storage: Storage, { id, fencingToken }: UploadRecord): Promise<string | undefined> {
  const stored = await storage.read(originalKey(id, fencingToken));
  return stored === undefined ? undefined : await sha256Of(stored);
}
