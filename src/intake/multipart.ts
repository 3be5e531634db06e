import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { ServiceError } from '../errors.ts';
import { sendContinue } from '../http/expect-continue.ts';
import { requireBoundary } from './form-boundary.ts';
import { FormFeed } from './form-feed.ts';
import {
  asFormError,
  fieldTooLarge,
  isForm,
  isOfText,
  isTransferEncoded,
  namelessFile,
  nestedForm,
  tooManyFields,
  tooManyFiles,
  tooManyParts,
  transferEncoded,
} from './form-errors.ts';
import { StreamChunks } from './stream-chunks.ts';

/** Large enough that a big file is not chopped into many small reads. */
const HIGH_WATER_MARK_BYTES = 1024 * 1024;

/** More file parts and fields than these are refused, not skipped. */
export interface MultipartLimits {
  maxFiles: number;
  maxFields: number;
  maxFieldBytes: number;
  /** Of the whole body, boundaries and all. */
  maxRequestBytes: number;
}

/** A field before, between or after the files. */
export interface FieldPart {
  kind: 'field';
  name: string;
  value: string;
}

/** A file; the next part comes when its chunks are read to the end, or skipped. */
export interface FilePart {
  kind: 'file';
  fieldName: string;
  /** As the client sent it, path parts stripped; empty where it sent none. */
  fileName: string;
  /** Throws `body_cut_short`, `bad_multipart` or `upload_interrupted`; leaving it early keeps the part open. */
  chunks: AsyncIterableIterator<Buffer, undefined>;
  /** Reads what is left of it into nothing. */
  skip(): void;
}

/**
 * The parts of a multipart/form-data request (RFC 7578) in the order sent. Ends normally only when
 * the closing boundary has come; until then nothing of the request may count.
 * Throws `not_multipart` or `unsupported_encoding` (415), `missing_boundary`, `bad_multipart` or `body_cut_short` (400),
 * `request_too_large`, `too_many_files`, `too_many_fields` or `field_too_large` (413), `upload_interrupted` where the client is gone, and the signal's reason.
 * Leaving the loop early stops reading the request; the caller decides what becomes of its rest.
 */
export async function* readMultipart(
  request: IncomingMessage,
  limits: MultipartLimits,
  signal: AbortSignal,
): AsyncGenerator<FieldPart | FilePart> {
  // What has happened before somebody listens is not told again.
  signal.throwIfAborted();
  if (request.destroyed) throw interrupted();
  const { parser, feed } = openParser(request, limits);
  const parts = new PartQueue();
  const fail = (error: ServiceError) => {
    parts.fail(error);
    parser.destroy(error);
  };
  listenToParser(parser, feed, parts, limits, fail);
  // A body may have come as a whole and still not be read to its end.
  const onClose = () => {
    if (!request.readableEnded) fail(interrupted());
  };
  const onAbort = () => fail(asFormError(signal.reason));
  let bytes = 0;
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limits.maxRequestBytes) fail(requestTooLarge(limits.maxRequestBytes));
  };
  request.on('data', onData);
  request.on('close', onClose);
  signal.addEventListener('abort', onAbort, { once: true });
  sendContinue(request);
  request.pipe(feed);
  try {
    yield* parts;
  } finally {
    request.off('data', onData);
    request.off('close', onClose);
    signal.removeEventListener('abort', onAbort);
    request.unpipe(feed);
    parser.destroy();
  }
}

function interrupted(): ServiceError {
  return new ServiceError('upload_interrupted', 'The connection broke before the upload was complete. Send it again.');
}

function listenToParser(
  parser: busboy.Busboy,
  feed: FormFeed,
  parts: PartQueue,
  limits: MultipartLimits,
  fail: (error: ServiceError) => void,
): void {
  parser.on('file', (fieldName, stream, info) => {
    // A cut body errors on the file's stream too; without a listener that ends the process.
    stream.on('error', () => undefined);
    const chunks = new StreamChunks(stream, asFormError);
    feed.openFile(chunks);
    if (isForm(info.mimeType)) fail(nestedForm());
    if (isTransferEncoded(info.encoding)) fail(transferEncoded(info.encoding));
    parts.push({
      kind: 'file',
      fieldName,
      fileName: info.filename ?? '',
      chunks,
      skip: () => skipRest(stream, chunks),
    });
  });
  parser.on('field', (name, value, info) => {
    if (isForm(info.mimeType)) fail(nestedForm());
    else if (!isOfText(info.mimeType)) fail(namelessFile(info.mimeType));
    else if (info.valueTruncated || info.nameTruncated) fail(fieldTooLarge(limits.maxFieldBytes));
    else parts.push({ kind: 'field', name: name ?? '', value });
  });
  parser.on('filesLimit', () => fail(tooManyFiles(limits.maxFiles)));
  parser.on('fieldsLimit', () => fail(tooManyFields(limits.maxFields)));
  parser.on('partsLimit', () => fail(tooManyParts(limits.maxFiles + limits.maxFields)));
  parser.on('error', (error) => parts.fail(asFormError(error)));
  parser.on('close', () => parts.end());
}

function openParser(request: IncomingMessage, limits: MultipartLimits): { parser: busboy.Busboy; feed: FormFeed } {
  const contentType = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType)) {
    throw new ServiceError(
      'not_multipart',
      'Send the files as multipart/form-data, or one file as the raw body of PUT /uploads/{id}.',
    );
  }
  requireIdentityEncoding(request);
  const boundary = requireBoundary(request);
  try {
    const parser = busboy({
      headers: request.headers,
      // The default is latin1, in which browsers do not write.
      defParamCharset: 'utf8',
      highWaterMark: HIGH_WATER_MARK_BYTES,
      fileHwm: HIGH_WATER_MARK_BYTES,
      limits: {
        files: limits.maxFiles,
        fields: limits.maxFields,
        // busboy calls a field cut that fills its limit to the last byte.
        fieldSize: limits.maxFieldBytes + 1,
        parts: limits.maxFiles + limits.maxFields,
      },
    });
    return { parser, feed: new FormFeed(parser, boundary) };
  } catch (error) {
    throw new ServiceError('missing_boundary', 'The Content-Type of a multipart request is malformed.', {
      cause: error,
    });
  }
}

/** Whoever read a part and gave up may still be listening, and would hold up what is left. */
function skipRest(stream: Readable, chunks: StreamChunks): void {
  void chunks.return();
  stream.resume();
}

/** Callbacks in, one async iteration out; parts that came before an error are not given any more. */
class PartQueue implements AsyncIterable<FieldPart | FilePart> {
  readonly #parts: (FieldPart | FilePart)[] = [];
  #ended = false;
  #error: ServiceError | undefined;
  #wake: (() => void) | undefined;

  push(part: FieldPart | FilePart): void {
    if (this.#error !== undefined && part.kind === 'file') part.skip();
    else this.#parts.push(part);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(error: ServiceError): void {
    this.#error ??= error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FieldPart | FilePart> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const part = this.#parts.shift();
      if (part !== undefined) yield part;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Bodies are taken as they are: throws `unsupported_encoding` (415) for a compressed one. */
export function requireIdentityEncoding(request: IncomingMessage): void {
  const { 'content-encoding': content = '', 'transfer-encoding': transfer = 'chunked' } = request.headers;
  if (/^(identity)?$/i.test(content.trim()) && /^chunked$/i.test(transfer.trim())) return;
  // RFC 9110 section 15.5.16 wants to be told what would do.
  const headers = { 'Accept-Encoding': 'identity' };
  throw new ServiceError(
    'unsupported_encoding',
    'Send the bytes as they are: no Content-Encoding, and no Transfer-Encoding but chunked.',
    { headers },
  );
}

/** The refusal itself, for those that know the length before the first byte. */
export function requestTooLarge(maxRequestBytes: number): ServiceError {
  return new ServiceError(
    'request_too_large',
    `A request may have at most ${maxRequestBytes} bytes. Send fewer files at once.`,
  );
}
