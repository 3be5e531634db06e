import { createHash, type Hash } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import { SAMPLE_BYTES } from '../kinds/kind.ts';
import type { Kinds } from '../kinds/kinds.ts';
import { isHtml } from '../kinds/other-text.ts';
import { HTML_TYPE, TEXT_TYPE } from '../kinds/table.ts';
import { decodeHead, sniffEncoding } from '../kinds/text-encoding.ts';
import type { FileKind, StoredUpload } from '../record/open-record.ts';
import { originalKey } from '../storage/keys.ts';
import { commitWith, type ObjectWriter, type SmallObject, type Storage } from '../storage/storage.ts';
import { ByteLimiter } from './byte-limiter.ts';
import type { ReceiveProgress } from './receive-progress.ts';
import { parseOptions } from './parse-options.ts';
import { SNIFF_BYTES, sniffType } from './sniff.ts';

/** Where files go, and which are taken. */
export interface ReceiveParts {
  storage: Storage;
  kinds: Kinds;
  /** False leaves the SHA-256 of a file to the worker, which reads it anyway. Default true. */
  hashes?: boolean;
}

/** A file about to come in. */
export interface IncomingFile {
  id: string;
  fencingToken: string;
  /** Read to its end, or to the first error. */
  chunks: AsyncIterable<Buffer>;
  /** As the client sent them; checked against the kind's schema once the type is known. */
  options: unknown;
  maxBytes: number;
  /** What is to lie beside it, as soon as it is whole. */
  manifestOf: (stored: StoredUpload) => SmallObject;
}

/**
 * Streams one file to storage: typed by its first bytes before anything is written, hashed on the
 * way, limited, and durable with its manifest when the promise resolves. On a rejection nothing of it is left, but
 * where storage itself has failed.
 * Rejects with `empty_file`, `bad_options` (400), `file_too_large` (413), `unsupported_media_type` (415),
 * `storage_full` (507), or what the source or the progress threw.
 */
export async function receiveFile(
  parts: ReceiveParts,
  file: IncomingFile,
  progress: ReceiveProgress,
): Promise<StoredUpload> {
  const chunks = file.chunks[Symbol.asyncIterator]();
  try {
    return await storeChunks(parts, file, chunks, progress);
  } catch (error) {
    // Lets go of what is not read any more, so that it can flow off. Not awaited: it may wait for a read under way.
    void chunks.return?.();
    throw error;
  }
}

async function storeChunks(
  parts: ReceiveParts,
  file: IncomingFile,
  chunks: AsyncIterator<Buffer>,
  progress: ReceiveProgress,
): Promise<StoredUpload> {
  const { storage, kinds } = parts;
  const limiter = new ByteLimiter(file.maxBytes);
  const head = await readHead(chunks, progress, limiter);
  const { type, options } = await acceptFile(kinds, head, file.options);
  progress.typed(type);
  const writer = await storage.create(originalKey(file.id, file.fencingToken));
  try {
    const hash = parts.hashes === false ? undefined : createHash('sha256');
    await writeAll(writer, head, chunks, progress, limiter, hash);
    const stored = { type, sizeBytes: limiter.bytes, sha256: hash?.digest('hex') ?? null, options };
    await commitWith(storage, writer, file.manifestOf(stored));
    return stored;
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/**
 * Judges a file by its first `SNIFF_BYTES`, or by the whole of it where it is shorter. Throws
 * `unsupported_media_type` (415) or `bad_options` (400).
 */
export async function acceptFile(kinds: Kinds, head: Buffer, options: unknown): Promise<FileKind> {
  const type = await typeOf(kinds, head, options);
  const kind = type === undefined ? undefined : kinds.find(type);
  if (type === undefined || kind === undefined) throw notTaken(type ?? textTypeOf(head), kinds);
  return { type, options: parseOptions(kind, options) };
}

/** For words to people: text has no signature. */
function textTypeOf(head: Buffer): string | undefined {
  const sample = head.subarray(0, SAMPLE_BYTES);
  const encoded = sniffEncoding(sample);
  if (encoded === undefined) return undefined;
  return isHtml(decodeHead(sample, encoded)) ? HTML_TYPE : TEXT_TYPE;
}

/** What the signature says, or else what a kind sees in the bytes; undefined where nobody knows them. */
async function typeOf(kinds: Kinds, head: Buffer, options: unknown): Promise<string | undefined> {
  const signed = await sniffType(head);
  if (signed !== undefined && kinds.find(signed) !== undefined) return signed;
  // The same bytes for whoever asks, so that all of them come to the same answer.
  return kinds.sniff({ head: head.subarray(0, SAMPLE_BYTES), isWhole: head.length < SAMPLE_BYTES, options }) ?? signed;
}

/** Enough bytes to tell the type from, or the whole file where it is shorter. */
async function readHead(
  chunks: AsyncIterator<Buffer>,
  progress: ReceiveProgress,
  limiter: ByteLimiter,
): Promise<Buffer> {
  const head: Buffer[] = [];
  while (limiter.bytes < SNIFF_BYTES) {
    const next = await chunks.next();
    if (next.done === true) break;
    head.push(next.value);
    limiter.add(next.value.length);
    progress.received(next.value.length);
  }
  if (limiter.bytes === 0) throw new ServiceError('empty_file', 'The file has no bytes. Choose another one.');
  return Buffer.concat(head);
}

function notTaken(type: string | undefined, kinds: Pick<Kinds, 'types' | 'adviceOn'>): ServiceError {
  const found = type === undefined ? 'These bytes are of no known type' : `This is ${type}`;
  const advice = type === undefined ? undefined : kinds.adviceOn(type);
  return new ServiceError(
    'unsupported_media_type',
    `${found}; taken are ${kinds.types.join(', ')}.${advice === undefined ? '' : ` ${advice}`}`,
  );
}

async function writeAll(
  writer: ObjectWriter,
  head: Buffer,
  rest: AsyncIterator<Buffer>,
  progress: ReceiveProgress,
  limiter: ByteLimiter,
  hash: Hash | undefined,
): Promise<void> {
  hash?.update(head);
  await writer.write(head);
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    limiter.add(next.value.length);
    progress.received(next.value.length);
    hash?.update(next.value);
    await writer.write(next.value);
  }
}
