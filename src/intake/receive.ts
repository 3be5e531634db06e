import type { AllowedFile } from '../access/caller.ts';
import { ServiceError } from '../errors.ts';
import { SAMPLE_BYTES } from '../kinds/kind.ts';
import type { Kinds } from '../kinds/kinds.ts';
import { isHtml } from '../kinds/other-text.ts';
import { HTML_TYPE, TEXT_TYPE, UNKNOWN_TYPE } from '../kinds/table.ts';
import { decodeHead, sniffEncoding } from '../kinds/text-encoding.ts';
import type { FileKind, StoredUpload } from '../record/open-record.ts';
import { originalKey } from '../storage/keys.ts';
import { commitWith, storePair, type ObjectWriter, type SmallObject, type Storage } from '../storage/storage.ts';
import { ByteLimiter, emptyFile } from './body.ts';
import { BodyDigests, type SentDigest } from './body-digests.ts';
import { RawPictureWatch } from './raw-picture-watch.ts';
import type { ReceiveProgress as Progress } from './receive-progress.ts';
import { parseOptions, parsePreset } from './options.ts';
import { SNIFF_BYTES, sniffType } from './sniff.ts';
import { byteLimit, requireAllowedType } from './ticket-rules.ts';

/** The parts that receiving a file needs. */
export interface ReceiveParts {
  storage: Storage;
  kinds: Kinds;
  /** If false, the worker computes the SHA-256, because it reads the file anyway. Default true. */
  hashes?: boolean;
}

/** Receives the count of bytes and the type while a file is received. */
type ReceiveProgress = Pick<Progress, 'received' | 'typed'>;

/** A file that is about to be received. */
export interface IncomingFile {
  id: string;
  fencingToken: string;
  /** Read to its end, or to the first error. */
  chunks: AsyncIterable<Buffer>;
  /** The options that the client sent. They are checked once the type of the file is known. */
  options: unknown;
  maxBytes: number;
  /** The limits of a ticket. Default: none. */
  allowed?: AllowedFile | null;
  /** Digests that the client has computed of the file. Default none. */
  digests?: readonly SentDigest[];
  /** Makes the manifest that is stored together with the complete file. */
  manifestOf: (stored: StoredUpload) => SmallObject;
}

/**
 * Streams one file to the storage. Its type is determined from its first bytes before anything is written, and it is
 * hashed on the way. The file and its manifest are durable when the promise resolves. If it rejects, no file is left,
 * unless the storage itself has failed. Rejects with `empty_file`, `bad_options`, `digest_mismatch` (400),
 * `ticket_forbids` (403), `file_too_large` (413), `unsupported_media_type` (415), `storage_full` (507), or the error of
 * the source or of the progress.
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
    // Releases the source, so that the rest of the body can be discarded. Not awaited: it may wait for a running read.
    void chunks.return?.();
    throw error;
  }
}

/** A file whose bytes are all in memory. */
interface WholeIncomingFile extends Omit<IncomingFile, 'chunks'> {
  chunks: readonly Buffer[];
}

/** Like `receiveFile`, for a file that is stored in one step because its bytes are in memory. */
export async function receiveWhole(parts: ReceiveParts, file: WholeIncomingFile): Promise<StoredUpload> {
  const { storage, kinds, hashes = true } = parts;
  const allowed = file.allowed ?? null;
  const limit = byteLimit(file.maxBytes, allowed);
  const limiter = new ByteLimiter(limit.maxBytes, limit.tooLarge);
  for (const chunk of file.chunks) limiter.add(chunk.length);
  if (limiter.bytes === 0) throw emptyFile();
  const { type, options } = await acceptFile(kinds, headOf(file.chunks), file.options, allowed);
  const raw = type === 'image/tiff' ? new RawPictureWatch() : undefined;
  const hash = new BodyDigests(file.digests ?? [], hashes ? ['sha256'] : []);
  for (const chunk of file.chunks) {
    raw?.see(chunk);
    hash.update(chunk);
  }
  if (raw?.type !== undefined) throw unsupportedType(raw.type, kinds);
  hash.requireRight();
  const stored = { type, sizeBytes: limiter.bytes, sha256: hash.sha256, options };
  const object = { key: originalKey(file.id, file.fencingToken), chunks: file.chunks };
  const mayHaveOrphans = await storePair(storage, object, file.manifestOf(stored));
  return { ...stored, mayHaveOrphans };
}

/** Returns at least `SNIFF_BYTES`, or the whole file if it is shorter. */
function headOf(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return first !== undefined && first.length >= SNIFF_BYTES ? first : Buffer.concat(chunks);
}

async function storeChunks(
  parts: ReceiveParts,
  file: IncomingFile,
  chunks: AsyncIterator<Buffer>,
  progress: ReceiveProgress,
): Promise<StoredUpload> {
  const { storage, kinds } = parts;
  const allowed = file.allowed ?? null;
  const limit = byteLimit(file.maxBytes, allowed);
  const limiter = new ByteLimiter(limit.maxBytes, limit.tooLarge);
  const head = await readHead(chunks, progress, limiter);
  const { type, options } = await acceptFile(kinds, head, file.options, allowed);
  progress.typed(type);
  const writer = await storage.create(originalKey(file.id, file.fencingToken));
  try {
    const hash = new BodyDigests(file.digests ?? [], parts.hashes === false ? [] : ['sha256']);
    const raw = type === 'image/tiff' ? new RawPictureWatch() : undefined;
    await writeAll(writer, head, seenBy(raw, head, chunks), progress, limiter, hash);
    if (raw?.type !== undefined) throw unsupportedType(raw.type, kinds);
    hash.requireRight();
    const stored = { type, sizeBytes: limiter.bytes, sha256: hash.sha256, options };
    await commitWith(storage, writer, file.manifestOf(stored));
    return stored;
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/**
 * Determines the type of a file from its first `SNIFF_BYTES`, or from the whole file if it is shorter, and checks its
 * options. Throws `unsupported_media_type` (415), `bad_options` (400), or `ticket_forbids` (403) for a type that the
 * ticket does not allow and for a preset of another file kind.
 */
export async function acceptFile(
  kinds: Kinds,
  head: Buffer,
  options: unknown,
  allowed: AllowedFile | null = null,
): Promise<FileKind> {
  const type = await typeOf(kinds, head, options);
  const known = type ?? textTypeOf(head);
  if (known !== undefined) requireAllowedType(known, allowed);
  const kind = type === undefined ? undefined : kinds.find(type);
  if (type === undefined || kind === undefined) throw unsupportedType(known, kinds);
  return { type, options: allowed?.preset === undefined ? parseOptions(kind, options) : parsePreset(kind, options) };
}

/** Returns the type of a text for the error detail, because text has no signature. */
function textTypeOf(head: Buffer): string | undefined {
  const sample = head.subarray(0, SAMPLE_BYTES);
  const encoded = sniffEncoding(sample);
  if (encoded === undefined) return undefined;
  return isHtml(decodeHead(sample, encoded)) ? HTML_TYPE : TEXT_TYPE;
}

/**
 * Returns the type of the signature, otherwise the type that a file kind recognizes. Undefined if the bytes are
 * unknown.
 */
async function typeOf(kinds: Kinds, head: Buffer, options: unknown): Promise<string | undefined> {
  const signed = await sniffType(head);
  if (signed !== undefined && kinds.find(signed) !== undefined) return signed;
  // The sample always has the same number of bytes, so that every protocol gets the same result.
  return kinds.sniff({ head: head.subarray(0, SAMPLE_BYTES), isWhole: head.length < SAMPLE_BYTES, options }) ?? signed;
}

/** Reads the bytes for the type, or the whole file if it is shorter. */
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
  if (limiter.bytes === 0) throw emptyFile();
  return Buffer.concat(head);
}

/** Shows all chunks of a file to the watch, if there is one. */
async function* seenBy(
  watch: RawPictureWatch | undefined,
  head: Buffer,
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer> {
  watch?.see(head);
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    watch?.see(next.value);
    yield next.value;
  }
}

/** Returns `unsupported_media_type` (415) for a type that no processor takes. Undefined means an unknown type. */
export function unsupportedType(type: string | undefined, kinds: Pick<Kinds, 'types' | 'adviceOn'>): ServiceError {
  const found = type === undefined ? 'The type of this file is unknown' : `This file is ${type}`;
  const advice = kinds.adviceOn(type ?? UNKNOWN_TYPE);
  return new ServiceError(
    'unsupported_media_type',
    `${found}. Send one of ${kinds.types.join(', ')}.${advice === undefined ? '' : ` ${advice}`}`,
  );
}

async function writeAll(
  writer: ObjectWriter,
  head: Buffer,
  rest: AsyncIterator<Buffer>,
  progress: ReceiveProgress,
  limiter: ByteLimiter,
  hash: BodyDigests,
): Promise<void> {
  hash.update(head);
  await writer.write(head);
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    limiter.add(next.value.length);
    progress.received(next.value.length);
    hash.update(next.value);
    await writer.write(next.value);
  }
}
