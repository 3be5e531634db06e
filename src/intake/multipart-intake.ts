import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { asOutcome, ServiceError } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';
import { asSeen, type ReadRecord } from '../record/read-record.ts';
import { isLackOfCapacity } from './admission.ts';
import { cleanFileName } from './file-name.ts';
import { IncomingUpload, type IntakeParts } from './incoming-upload.ts';
import { readOptionsJson } from './options-json.ts';
import { readMultipart, type FieldPart, type FilePart, type MultipartLimits } from './multipart.ts';
import type { ReceivedUpload } from './read-received.ts';
import { uploadRef } from '../telemetry/upload-ref.ts';

/** The field that speaks of all files after it. */
const OPTIONS_FIELD = 'options';

/** Limits of one multipart request and of each of its files. */
export interface IntakeLimits extends MultipartLimits {
  maxFileBytes: number;
}

/** A form that is being received. */
export interface IncomingForm {
  request: IncomingMessage;
  limits: IntakeLimits;
  signal: AbortSignal;
}

/** A file of the request: on its way, in the queue, or refused with its error; and its record as it was seen last. */
type Sent = { upload: IncomingUpload; known: ReadRecord; error?: ServiceError };

/**
 * Takes all files of a multipart request. They are queued when its body has ended well; a request that
 * breaks off leaves none. A refused file does not spoil its siblings: its record is among the answer in
 * state `failed`. Where every file was refused the first one's error is thrown.
 * @returns the uploads in the order sent.
 */
export async function receiveMultipart(
  parts: IntakeParts,
  scope: RequestScope,
  form: IncomingForm,
): Promise<ReceivedUpload[]> {
  const sent: Sent[] = [];
  await takeAll(parts, scope, form, sent);
  const [first] = sent;
  if (first?.error !== undefined && sent.every((file) => file.error !== undefined)) {
    // The answer names the first one only, so nobody will ask for the others.
    await Promise.all(sent.slice(1).map(({ upload }) => forgetRefused(parts, scope, upload)));
    throw asOutcome(first.error, first.upload.record.id, first.error.state ?? 'failed');
  }
  // Of several, a later one may have taken the place of an earlier one.
  const isCurrent = sent.length === 1;
  return sent.map(({ upload, known }) => ({ id: upload.record.id, known, isCurrent }));
}

async function forgetRefused(
  { records }: IntakeParts,
  { log }: RequestScope,
  { record }: IncomingUpload,
): Promise<void> {
  await records
    .forget(record.id, record.publicId)
    .catch((error: unknown) => log.warn({ err: error, upload: uploadRef(record.id) }, 'record not forgotten'));
}

async function takeAll(parts: IntakeParts, scope: RequestScope, form: IncomingForm, sent: Sent[]): Promise<void> {
  try {
    await readParts(parts, scope, form, sent);
    if (sent.length === 0)
      throw new ServiceError(
        'no_file',
        'The request has no file part. Send at least one, with Content-Disposition: form-data; name="file"; filename="…".',
      );
    // The first of the files may take the last places of the queue; the others are refused then.
    for (const file of sent) await settle(file);
  } catch (error) {
    for (const { upload } of sent) {
      await upload
        .forget()
        .catch((failure: unknown) =>
          scope.log.warn({ err: failure, upload: uploadRef(upload.record.id) }, 'file not forgotten'),
        );
    }
    throw error;
  }
}

async function readParts(parts: IntakeParts, scope: RequestScope, form: IncomingForm, sent: Sent[]): Promise<void> {
  let options: unknown = {};
  for await (const part of readMultipart(form.request, form.limits, form.signal)) {
    if (part.kind === 'field') options = readField(part, options, sent.length);
    else await receivePart(parts, scope, form, { part, options }, sent);
  }
}

/** Unknown fields are passed over: plain forms send their buttons and hidden inputs too. */
function readField(part: FieldPart, options: unknown, filesBefore: number): unknown {
  if (part.name !== OPTIONS_FIELD) return options;
  if (filesBefore > 0)
    throw new ServiceError('bad_options', 'The field "options" comes before the files it speaks of.');
  return readOptionsJson(part.value, 'The field "options"');
}

async function receivePart(
  parts: IntakeParts,
  scope: RequestScope,
  { limits, signal }: IncomingForm,
  { part, options }: { part: FilePart; options: unknown },
  sent: Sent[],
): Promise<void> {
  const first = await firstOf(part.chunks);
  // What a browser sends for a file input that nobody filled.
  if (part.fileName === '' && first.isEmpty) return;
  const announced = { id: randomUUID(), fileName: cleanFileName(part.fileName), totalBytes: null, options };
  const outcome = await IncomingUpload.open(parts, scope, announced);
  if (!('opened' in outcome)) throw new Error('a fresh id was taken');
  const { opened: upload } = outcome;
  const file: Sent = { upload, known: asSeen(upload.record) };
  sent.push(file);
  try {
    await file.upload.receive(first.all, options, limits.maxFileBytes);
  } catch (error) {
    if (!(error instanceof ServiceError) || signal.aborted || isOfRequest(error)) throw error;
    // At once, since its siblings may come in for long yet.
    part.skip();
    await refuse(file, error);
  }
}

/** Looks at the first chunk without losing it. */
async function firstOf(
  chunks: AsyncIterableIterator<Buffer, undefined>,
): Promise<{ isEmpty: boolean; all: AsyncIterableIterator<Buffer, undefined> }> {
  const first = await chunks.next();
  let isTaken = false;
  const all: AsyncIterableIterator<Buffer, undefined> = {
    next() {
      if (isTaken) return chunks.next();
      isTaken = true;
      return Promise.resolve(first);
    },
    return: () => chunks.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]: () => all,
  };
  return { isEmpty: first.done === true, all };
}

/** Errors that end the whole request, not one of its files. */
const REQUEST_CODES: ReadonlySet<string> = new Set([
  'upload_interrupted',
  'body_cut_short',
  'bad_multipart',
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

/** Queues what was taken. */
async function settle(file: Sent): Promise<void> {
  if (file.error !== undefined) return;
  try {
    file.known = await file.upload.enqueue();
  } catch (error) {
    if (!isLackOfCapacity(error)) throw error;
    await refuse(file, error);
  }
}

async function refuse(file: Sent, error: ServiceError): Promise<void> {
  file.error = error;
  const record = await file.upload.refuse(error);
  if (record !== undefined) file.known = asSeen(record);
}
