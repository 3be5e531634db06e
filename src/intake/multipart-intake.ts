import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../access/caller.ts';
import { asOutcome, ServiceError } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';
import { asSeen, type ReadRecord } from '../record/read-record.ts';
import { isCapacityError } from './admission.ts';
import { cleanFileName } from './file-name.ts';
import { IncomingUpload, type FileAnnouncement, type IntakeParts } from './incoming-upload.ts';
import { mayBringMetadata, METADATA_FIELD, withMetadata } from './metadata.ts';
import { isRefusalOfOwner } from './opening-error.ts';
import { OPTIONS_FIELD, readOptionsJson } from './options.ts';
import { readMultipart, type FieldPart, type FilePart, type MultipartLimits } from './multipart.ts';
import { refusePartOfFile } from './parts-hint.ts';
import type { ReceivedUpload } from './read-received.ts';
import { acceptSmall, type ReceiveHooks } from './small-upload.ts';
import { optionsFor } from './ticket-rules.ts';
import { PAUSE, readStart, SMALL_BYTES, withPauses } from './whole-file.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** The limits of a form and of each of its files. */
export interface IntakeLimits extends MultipartLimits {
  maxFileBytes: number;
}

/** A form that is being received. */
interface IncomingForm extends ReceiveHooks {
  request: IncomingMessage;
  limits: IntakeLimits;
  signal: AbortSignal;
  /** True if its last file may be small enough to be stored before it has a record. Default false. */
  mayBeSmall?: boolean;
}

/** A file of the form, with its last known record. A rejected file has an error. */
type Sent = { upload: IncomingUpload; known: ReadRecord; error?: ServiceError };

/** A file of the form before it is received, and its owner. */
interface FormFile {
  scope: RequestScope;
  announced: FileAnnouncement;
  chunks: AsyncIterableIterator<Buffer, undefined>;
  options: unknown;
  skip: () => void;
}

/** A whole file in memory. No other part has arrived after it yet. */
interface SmallFormFile extends FormFile {
  whole: readonly Buffer[];
}

/**
 * Receives all files of a form. They are queued when the body is complete. An incomplete request leaves no upload. A
 * rejected file does not affect the others: it is in the result with state `failed`. If every file is rejected, this
 * throws the error of the first one.
 * @returns the uploads in the order sent.
 */
export async function receiveMultipart(
  parts: IntakeParts,
  scope: RequestScope,
  form: IncomingForm,
): Promise<ReceivedUpload[]> {
  const sent: Sent[] = [];
  const accepted = await takeAll(parts, scope, form, sent);
  const uploads = sent.map(({ upload, known }) => ({ id: upload.record.id, known }));
  if (accepted !== undefined) uploads.push({ id: accepted.record.id, known: accepted });
  const [first] = sent;
  if (accepted === undefined && first?.error !== undefined && sent.every((file) => file.error !== undefined)) {
    // The answer contains only the first file, so the client does not know the others.
    await Promise.all(sent.slice(1).map(({ upload }) => forgetRejected(parts, scope, upload)));
    throw asOutcome(first.error, first.upload.record.id, first.error.state ?? 'failed');
  }
  // A later file may have evicted an earlier one of this form from the queue.
  const isCurrent = uploads.length === 1;
  return uploads.map((upload) => ({ ...upload, isCurrent }));
}

async function forgetRejected(
  { records }: IntakeParts,
  { log }: RequestScope,
  { record }: IncomingUpload,
): Promise<void> {
  await records
    .forget(record.id, record.publicId)
    .catch((error: unknown) => log.warn({ err: error, upload: uploadRef(record.id) }, 'record not removed'));
}

/** Returns the last file, if it was small and is queued already. The others are in `sent`. */
async function takeAll(
  parts: IntakeParts,
  scope: RequestScope,
  form: IncomingForm,
  sent: Sent[],
): Promise<ReadRecord | undefined> {
  try {
    const last = await readParts(parts, scope, form, sent);
    if (sent.length === 0 && last === undefined)
      throw new ServiceError(
        'no_file',
        'The form has no file. Send a part with Content-Disposition: form-data; name="file"; filename="…".',
      );
    // The first files may take the last places of the queue. The other ones are rejected then.
    for (const file of sent) await queueOrReject(file);
    return last === undefined ? undefined : await acceptLast(parts, form, last, sent);
  } catch (error) {
    for (const { upload } of sent) {
      await upload
        .forget()
        .catch((failure: unknown) =>
          scope.log.warn({ err: failure, upload: uploadRef(upload.record.id) }, 'upload not removed'),
        );
    }
    throw error;
  }
}

async function acceptLast(
  parts: IntakeParts,
  form: IncomingForm,
  file: SmallFormFile,
  sent: Sent[],
): Promise<ReadRecord | undefined> {
  const { scope, announced, options, whole } = file;
  const { limits, beforeQueued } = form;
  const maxBytes = limits.maxFileBytes;
  const small = { announced, chunks: whole, options, maxBytes, beforeQueued, hasFreshId: true };
  const accepted = await acceptSmall(parts, scope, small);
  if (accepted !== undefined) return accepted;
  const before = sent.length;
  await receiveFormFile(parts, form, file, sent);
  for (const one of sent.slice(before)) await queueOrReject(one);
  return undefined;
}

/** Returns the last file instead of receiving it, if it is small and nothing follows it. */
async function readParts(
  parts: IntakeParts,
  scope: RequestScope,
  form: IncomingForm,
  sent: Sent[],
): Promise<SmallFormFile | undefined> {
  let options = optionsFor(scope.caller, undefined);
  let hasOptions = false;
  let { caller } = scope;
  let waiting: SmallFormFile | undefined;
  const read = readMultipart(form.request, form.limits, form.signal);
  for await (const part of withPauses(read, () => waiting !== undefined)) {
    if (waiting !== undefined) await receiveFormFile(parts, form, waiting, sent);
    waiting = undefined;
    if (part === PAUSE) continue;
    if (part.partType === 'file')
      waiting = await receivePart(parts, { ...scope, caller }, form, { part, options }, sent);
    else if (part.name === METADATA_FIELD) caller = readMetadataField(caller, part, sent.length);
    else if (part.name === OPTIONS_FIELD) {
      options = readOptionsField(caller, part, sent.length, hasOptions);
      hasOptions = true;
    } else {
      // Unknown fields are ignored, because HTML forms also send buttons and hidden inputs.
      refusePartOfFile(part.name, part.value);
    }
  }
  return waiting;
}

function readMetadataField(caller: Caller, part: FieldPart, filesBefore: number): Caller {
  if (filesBefore > 0 && mayBringMetadata(caller))
    throw new ServiceError('bad_metadata', 'The field "metadata" follows a file. Send it before the files.');
  return withMetadata(caller, part.value, 'The field "metadata"');
}

function readOptionsField(caller: Caller, part: FieldPart, filesBefore: number, isRepeated: boolean): unknown {
  if (filesBefore > 0)
    throw new ServiceError('bad_options', 'The field "options" follows a file. Send it before the files.');
  if (isRepeated) throw new ServiceError('bad_options', 'The form has two fields "options". Send one for all files.');
  return optionsFor(caller, readOptionsJson(part.value, 'The field "options"'));
}

/** Returns the file instead of receiving it if it is small and arrived whole. */
async function receivePart(
  parts: IntakeParts,
  scope: RequestScope,
  form: IncomingForm,
  { part, options }: { part: FilePart; options: unknown },
  sent: Sent[],
): Promise<SmallFormFile | undefined> {
  const start = await readStart(part.chunks, form.mayBeSmall === true ? SMALL_BYTES : 0);
  // A browser sends this for an empty file input.
  if (part.fileName === '' && start.isWhole && start.chunks.length === 0) return undefined;
  const announced = { id: randomUUID(), fileName: cleanFileName(part.fileName), totalBytes: null, options };
  const file = { scope, announced, chunks: start.all, options, skip: () => part.skip() };
  if (form.mayBeSmall === true && start.isWhole) return { ...file, whole: start.chunks };
  await receiveFormFile(parts, form, file, sent);
  return undefined;
}

async function receiveFormFile(
  parts: IntakeParts,
  { limits, signal }: IncomingForm,
  { scope, announced, chunks, options, skip }: FormFile,
  sent: Sent[],
): Promise<void> {
  const { upload, error: refusal } = await openFile(parts, scope, announced);
  const file: Sent = { upload, known: asSeen(upload.record) };
  sent.push(file);
  if (refusal !== undefined) {
    skip();
    await reject(file, refusal);
    return;
  }
  try {
    await file.upload.receive(chunks, options, limits.maxFileBytes);
  } catch (error) {
    if (!(error instanceof ServiceError) || signal.aborted || isOfRequest(error)) throw error;
    // Reject the file now: the other files may take long.
    skip();
    await reject(file, error);
  }
}

/** Opens an upload. If its owner may not begin it, it is opened only to give the client a reason. */
async function openFile(
  parts: IntakeParts,
  scope: RequestScope,
  announced: FileAnnouncement,
): Promise<{ upload: IncomingUpload; error?: ServiceError }> {
  try {
    return { upload: await openFresh(parts, scope, announced) };
  } catch (error) {
    if (!isRefusalOfOwner(error)) throw error;
    return { upload: await openFresh(parts, scope, { ...announced, isRefused: true }), error };
  }
}

async function openFresh(parts: IntakeParts, scope: RequestScope, file: FileAnnouncement): Promise<IncomingUpload> {
  const outcome = await IncomingUpload.open(parts, scope, file);
  if ('opened' in outcome) return outcome.opened;
  throw new Error('a fresh id was taken');
}

/** These errors end the whole request, not only one file. */
const REQUEST_CODES: ReadonlySet<string> = new Set([
  'upload_interrupted',
  'body_cut_short',
  'bad_request',
  'bad_multipart',
  'unsupported_encoding',
  'upload_too_slow',
  'request_too_large',
  'too_many_files',
  'too_many_fields',
  'field_too_large',
  'storage_full',
  'storage_unavailable',
  'service_unavailable',
  'shutting_down',
]);

function isOfRequest(error: ServiceError): boolean {
  return REQUEST_CODES.has(error.code);
}

/** Queues a received file, or rejects it if the queue is full. */
async function queueOrReject(file: Sent): Promise<void> {
  if (file.error !== undefined) return;
  try {
    file.known = await file.upload.enqueue();
  } catch (error) {
    if (!isCapacityError(error)) throw error;
    await reject(file, error);
  }
}

async function reject(file: Sent, error: ServiceError): Promise<void> {
  file.error = error;
  const record = await file.upload.reject(error);
  if (record !== undefined) file.known = asSeen(record);
}
