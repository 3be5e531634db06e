import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { ServiceError } from '../errors.ts';
import { sendContinue } from '../http/expect-continue.ts';
import {
  requireBoundary,
  asFormError,
  fieldTooLarge,
  namelessFile,
  tooManyFields,
  tooManyFiles,
  tooManyParts,
} from './form-errors.ts';
import { interrupted, requestTooLarge, requireIdentityEncoding } from './body.ts';
import { FormFeed } from './form-feed.ts';
import { readPartHead, type PartHead } from './part-head.ts';
import { StreamChunks } from './stream-chunks.ts';

/** Size of the parser's buffers. Smaller ones would split a large file into many small reads. */
const HIGH_WATER_MARK_BYTES = 1024 * 1024;

/** Limits of a form. A form that exceeds one of them is rejected. */
export interface MultipartLimits {
  maxFiles: number;
  maxFields: number;
  maxFieldBytes: number;
  /** The limit of the whole body, including the boundaries. */
  maxRequestBytes: number;
}

/** A field before, between or after the files. */
export interface FieldPart {
  partType: 'field';
  name: string;
  value: string;
}

/** A file. The next part follows when its chunks were read to the end or skipped. */
export interface FilePart {
  partType: 'file';
  fieldName: string;
  /** The name that the client sent, without a path. Empty if it sent none. */
  fileName: string;
  /**
   * Throws `body_cut_short`, `bad_multipart` or `upload_interrupted` (400). If the loop is left early, the part stays
   * open.
   */
  chunks: AsyncIterableIterator<Buffer, undefined>;
  /** Discards the rest of the file. */
  skip(): void;
}

/**
 * Reads the parts of a multipart/form-data request (RFC 7578) in the order sent. Ends normally only after the closing
 * boundary. Until then the caller must treat the request as incomplete. Throws `not_multipart` or
 * `unsupported_encoding` (415), `missing_boundary`, `bad_multipart` or `body_cut_short` (400), `request_too_large`,
 * `too_many_files`, `too_many_fields` or `field_too_large` (413), `upload_interrupted` (400) if the client is gone, and
 * the reason of the signal. If the loop is left early, the request is no longer read, and the caller handles the rest
 * of the body.
 */
export async function* readMultipart(
  request: IncomingMessage,
  limits: MultipartLimits,
  signal: AbortSignal,
): AsyncGenerator<FieldPart | FilePart> {
  // If the abort or close came earlier, no event follows.
  signal.throwIfAborted();
  if (request.destroyed) throw interrupted();
  const heads = new PartHeads();
  const { parser, feed } = openParser(request, limits, heads);
  const parts = new PartQueue();
  const fail = (error: ServiceError) => {
    parts.fail(error);
    parser.destroy(error);
  };
  listenToParser(parser, { feed, heads }, parts, limits, fail);
  // The connection may close when a complete body has arrived and is not read to its end yet.
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

/** The feed of a form, and the heads of its parts in the order in which the parser reports the parts. */
interface Feed {
  feed: FormFeed;
  heads: PartHeads;
}

function listenToParser(
  parser: busboy.Busboy,
  { feed, heads }: Feed,
  parts: PartQueue,
  limits: MultipartLimits,
  fail: (error: ServiceError) => void,
): void {
  parser.on('file', (_name, stream) => {
    // An incomplete body also causes an error on the stream of the file. Without a listener it would end the process.
    stream.on('error', () => undefined);
    const chunks = new StreamChunks(stream, asFormError);
    feed.openFile(chunks);
    const { name, fileName } = heads.next();
    parts.push({ partType: 'file', fieldName: name, fileName, chunks, skip: () => skipRest(stream, chunks) });
  });
  parser.on('field', (_name, value, info) => {
    const { name } = heads.next();
    if (info.valueTruncated) fail(fieldTooLarge(limits.maxFieldBytes));
    // Text has no NUL, but pictures and workbooks have.
    else if (value.includes('\0')) fail(namelessFile());
    else parts.push({ partType: 'field', name, value });
  });
  parser.on('filesLimit', () => fail(tooManyFiles(limits.maxFiles)));
  parser.on('fieldsLimit', () => fail(tooManyFields(limits.maxFields)));
  parser.on('partsLimit', () => fail(tooManyParts(limits.maxFiles + limits.maxFields)));
  parser.on('error', (error) => parts.fail(asFormError(error)));
  parser.on('close', () => parts.end());
}

function openParser(
  request: IncomingMessage,
  limits: MultipartLimits,
  heads: PartHeads,
): { parser: busboy.Busboy; feed: FormFeed } {
  const contentType = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType)) {
    throw new ServiceError(
      'not_multipart',
      'The request is not a form. Send multipart/form-data, or send one file as the raw body of PUT /uploads/{id}.',
    );
  }
  requireIdentityEncoding(request);
  const boundary = requireBoundary(request);
  try {
    const parser = busboy({
      headers: request.headers,
      highWaterMark: HIGH_WATER_MARK_BYTES,
      fileHwm: HIGH_WATER_MARK_BYTES,
      limits: {
        files: limits.maxFiles,
        fields: limits.maxFields,
        // busboy also marks a field as truncated that has exactly the length of the limit.
        fieldSize: limits.maxFieldBytes + 1,
        // busboy also counts the closing boundary.
        parts: limits.maxFiles + limits.maxFields + 1,
      },
    });
    return { parser, feed: new FormFeed(parser, boundary, (block) => heads.add(block)) };
  } catch (error) {
    throw new ServiceError(
      'missing_boundary',
      'The Content-Type is malformed. Send Content-Type: multipart/form-data; boundary=….',
      { cause: error },
    );
  }
}

/** Discards the rest of a stream. A reader that gave up may still have listeners, which would stop the flow. */
function skipRest(stream: Readable, chunks: StreamChunks): void {
  void chunks.return();
  stream.resume();
}

/** The heads of parts that the parser has not reported yet. It reports every part, because it gets only plain heads. */
class PartHeads {
  readonly #heads: PartHead[] = [];

  /** Returns the head for the parser. */
  add(block: Buffer): string {
    const head = readPartHead(block);
    this.#heads.push(head);
    return head.plain;
  }

  next(): PartHead {
    const head = this.#heads.shift();
    if (head === undefined) throw new Error('a part without its head');
    return head;
  }
}

/** Turns parser callbacks into one async iteration. After an error, waiting parts are dropped. */
class PartQueue implements AsyncIterable<FieldPart | FilePart> {
  readonly #parts: (FieldPart | FilePart)[] = [];
  #ended = false;
  #error: ServiceError | undefined;
  #wake: (() => void) | undefined;

  push(part: FieldPart | FilePart): void {
    if (this.#error !== undefined && part.partType === 'file') part.skip();
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
