import { asOutcome, ServiceError, toProblem, type ErrorCode } from '../../errors.ts';
import type { RequestScope } from '../../http/request-scope.ts';
import type { FileKind } from '../../record/open-record.ts';
import type { UploadRecord } from '../../record/record-fields.ts';
import { byteLimit } from '../../intake/ticket-rules.ts';
import type { SentDigest } from '../../intake/body-digests.ts';
import type { IntakeParts } from '../../intake/incoming-upload.ts';
import { listenForOtherRequests, ReceiveProgress, rejectionToError } from '../../intake/receive-progress.ts';
import { removeOrphanFiles } from '../../record/orphan-files.ts';
import type { StoredPieces } from '../../storage/stored-pieces.ts';
import { UploadParts } from '../../storage/upload-parts.ts';
import { SNIFF_BYTES } from '../../intake/sniff.ts';
import { isPartial } from './concat.ts';
import type { BodyChunks } from './kept-body.ts';
import { optionsOf } from './tus-metadata.ts';
import { TypeGate } from './type-gate.ts';
import { CheckedChunks } from './upload-checksum.ts';
import { uploadRef } from '../../telemetry/upload-ref.ts';

/** The parts that receiving resumable uploads needs. */
export interface TusIntake extends IntakeParts {
  maxFileBytes: number;
  /** An upload expires if no byte was added for this time. */
  expiryMs: number;
}

/** The body of a request. */
interface SentPart {
  /** Position of the first byte of the body in the file. */
  offset: number;
  body: BodyChunks;
  checksum: SentDigest | undefined;
  /** The bytes that are stored, if they were just listed. */
  stored?: StoredPieces | undefined;
}

/** Faults of the file itself, which end the upload. After any other error the client can continue. */
const FAULTS_OF_FILE: readonly ErrorCode[] = [
  'unsupported_media_type',
  'bad_options',
  'ticket_forbids',
  'file_too_large',
  'empty_file',
];

/**
 * Stores the bytes of one request from `offset` on. Returns the new offset, up to which all bytes are durable. `body`
 * may end early; the received bytes are stored. With a `checksum` they are stored only if
 * they have it; otherwise it throws `digest_mismatch` (460), and the offset stays. A file that is rejected by its
 * first bytes or its size ends the upload as failed. Throws as `receiveFile` does, and `upload_cancelled` (410) or
 * `upload_superseded` (409).
 */
export async function receivePart(
  intake: TusIntake,
  scope: RequestScope,
  record: UploadRecord,
  { offset, body, checksum, stored }: SentPart,
): Promise<number> {
  const { id, fencingToken, totalBytes, allowed } = record;
  const limit = byteLimit(intake.maxFileBytes, allowed);
  const parts = new UploadParts(intake.storage, record);
  const gate = isPartial(record) ? undefined : await openGate(intake, parts, record, { offset, stored });
  const writer = parts.append(offset, { isOnePart: checksum !== undefined, stored });
  const checks = checksum === undefined ? undefined : new CheckedChunks(checksum);
  const store = async (chunk: Buffer): Promise<void> => {
    await gate?.pass(chunk);
    await writer.write(chunk);
  };
  const report = (receivedBytes: number) =>
    intake.records.receive(
      id,
      fencingToken,
      receivedBytes,
      totalBytes,
      gate?.found,
      receivedBytes > 0 ? intake.expiryMs : undefined,
    );
  const progress = new ReceiveProgress((bytes) => report(offset + bytes), scope.log);
  const rejected = new AbortController();
  progress.watchForRejection(listenForOtherRequests(intake, record), (rejection) => rejected.abort(rejection));
  try {
    for await (const chunk of body(rejected.signal)) {
      progress.received(chunk.length);
      if (offset + progress.receivedBytes > limit.maxBytes) throw limit.tooLarge();
      await (checks === undefined ? store(chunk) : checks.pass(chunk, store));
    }
    checks?.requireRight();
    await writer.commit();
    await progress.close();
    if (writer.offset === offset) return offset;
    const outcome = await report(writer.offset);
    if (!outcome.applied) throw rejectionToError(outcome);
    return writer.offset;
  } catch (error) {
    await writer.discard();
    await progress.close();
    if (checksum !== undefined) await report(writer.offset);
    throw await endAfterError(intake, scope, record, error, offset + progress.receivedBytes);
  }
}

/** Ends the upload as failed and removes its parts. Returns the error for the client. */
export async function rejectUpload(
  intake: TusIntake,
  { log }: RequestScope,
  record: UploadRecord,
  error: ServiceError,
  receivedBytes: number,
): Promise<ServiceError> {
  const { id, fencingToken, type } = record;
  const outcome = await intake.records.reject(id, fencingToken, toProblem(error, id), {
    receivedBytes,
    type,
    isResumable: true,
  });
  log.info({ upload: uploadRef(id), code: error.code }, 'upload rejected');
  // If another request has continued the upload, the parts belong to it.
  if (outcome.applied) await removeBytes(intake, record);
  return outcome.applied ? asOutcome(error, id, 'failed') : error;
}

/** Ends or cleans up the upload after an error, and returns the error for the client. */
export async function endAfterError(
  intake: TusIntake,
  scope: RequestScope,
  record: UploadRecord,
  error: unknown,
  receivedBytes: number,
): Promise<unknown> {
  if (error instanceof ServiceError && FAULTS_OF_FILE.includes(error.code))
    return await rejectUpload(intake, scope, record, error, receivedBytes);
  const now = await intake.records.read(record.id);
  if (now?.record.state !== 'cancelled') return error;
  // The cancel has removed the parts, but one may have become visible after it.
  await removeBytes(intake, record);
  return rejectionToError({ applied: false, rejection: 'final', record: now.record });
}

/** Removes the parts, also unfinished ones, and the file if they were joined. Call it when the record is final. */
async function removeBytes(intake: TusIntake, record: UploadRecord): Promise<void> {
  await new UploadParts(intake.storage, record).removeAll();
  await removeOrphanFiles(intake, record.id);
}

/** Undefined if the type is not known and the first bytes cannot be read. It is then determined at the end. */
async function openGate(
  { kinds }: TusIntake,
  parts: UploadParts,
  record: UploadRecord,
  { offset, stored }: Pick<SentPart, 'offset' | 'stored'>,
): Promise<TypeGate | undefined> {
  const known: FileKind | undefined = record.type === null ? undefined : { type: record.type, options: record.options };
  const head =
    known === undefined && offset > 0
      ? await parts.bytesAt(stored ?? (await parts.stored()), 0, SNIFF_BYTES)
      : Buffer.alloc(0);
  if (head === undefined) return undefined;
  return new TypeGate({ kinds, known, head, options: optionsOf(record), allowed: record.allowed });
}
