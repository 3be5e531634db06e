import { allAtOnce, COPIES_AT_ONCE } from './all-at-once.ts';
import type { DirectParts, DirectUpload } from './direct-parts.ts';
import type { SizedKey } from './storage.ts';
import { cutPieces, lengthOf, MOST_PARTS, type Piece } from './stored-pieces.ts';

const MIB = 1024 * 1024;

/** S3 accepts no shorter part but the last one, and copies no range of a shorter object. */
const LEAST_PART_BYTES = 5 * MIB;

/** Ranges of this size are copied at the same time. Those of a very large file are longer, up to the limit of S3. */
const COPIED_BYTES = 64 * MIB;
const MOST_COPIED_BYTES = 5 * 1024 * MIB;

/** If more bytes must be read, a worker joins the file, because a client would wait too long for its request. */
const MOST_READ_BYTES = 64 * MIB;
const MOST_READ_PIECES = 256;

/** The object that the pieces become, and how they are read. */
export interface JoinTarget {
  direct: DirectParts;
  /** The key of the object. */
  key: string;
  /** Returns the bytes of pieces. */
  read: (pieces: readonly Piece[]) => Promise<Buffer>;
}

/**
 * Makes one object of pieces of other objects. The bucket copies pieces of 5 MiB or more by itself. Shorter ones are
 * read and sent again, together with the beginning of the next piece. Returns false and makes nothing if there are too
 * many of them, or if the bucket cannot copy a range.
 */
export async function joinPieces(target: JoinTarget, pieces: readonly Piece[]): Promise<boolean> {
  const parts = planParts(pieces);
  const read = parts.filter((part) => !isCopied(part)).flat();
  const isTooMuch = lengthOf(read) > MOST_READ_BYTES || read.length > MOST_READ_PIECES || parts.length > MOST_PARTS;
  if (isTooMuch) return false;
  const { direct, key } = target;
  const upload = { key, uploadId: await direct.begin(key) };
  try {
    const isFilled = await fill(target, upload, parts);
    if (isFilled && (await completeParts(direct, upload, parts.length, lengthOf(pieces)))) return true;
    await direct.abort(upload);
    return false;
  } catch (error) {
    await direct.abort(upload).catch(() => undefined);
    throw error;
  }
}

/** Copies an object of any size. False if the object is short or the bucket cannot copy ranges. */
export async function copyInRanges(direct: DirectParts, { key, sizeBytes }: SizedKey, to: string): Promise<boolean> {
  const piece = { key, start: 0, end: sizeBytes - 1 };
  const read = () => Promise.reject(new Error('a long piece is copied, not read'));
  return isCopied([piece]) && (await joinPieces({ direct, key: to, read }, [piece]));
}

/**
 * Makes the object of its first `count` parts. False if the upload was already completed or aborted. Rejects if the
 * bucket has other parts.
 */
export async function completeParts(
  direct: DirectParts,
  upload: DirectUpload,
  count: number,
  byteCount: number,
): Promise<boolean> {
  const parts = (await direct.list(upload))?.slice(0, count);
  if (parts === undefined) return false;
  const listedBytes = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (parts.at(-1)?.number !== count || listedBytes !== byteCount) throw new Error('the bucket has other parts');
  return await direct.complete(upload, parts);
}

/** Returns the pieces of each part. A part of one long piece is copied. */
export function planParts(pieces: readonly Piece[]): Piece[][] {
  const parts: Piece[][] = [];
  const copiedBytes = copiedBytesOf(lengthOf(pieces));
  let open: Piece[] = [];
  for (const piece of pieces) {
    const byteCount = lengthOf([piece]);
    const missing = open.length === 0 ? 0 : LEAST_PART_BYTES - lengthOf(open);
    // If the rest would be too short for a part, it is joined with the beginning.
    const taken = byteCount - missing < LEAST_PART_BYTES ? byteCount : missing;
    open.push(...cutPieces([piece], 0, taken));
    if (lengthOf(open) >= LEAST_PART_BYTES) {
      parts.push(open);
      open = [];
    }
    parts.push(...splitEvenly(cutPieces([piece], taken, byteCount), copiedBytes));
  }
  return open.length === 0 ? parts : [...parts, open];
}

/** Returns the size of copied ranges. Half of the parts are left for shorter ranges at the ends of pieces. */
function copiedBytesOf(totalBytes: number): number {
  return Math.min(MOST_COPIED_BYTES, Math.max(COPIED_BYTES, Math.ceil(totalBytes / (MOST_PARTS / 2))));
}

function splitEvenly(piece: readonly Piece[], mostBytes: number): Piece[][] {
  const byteCount = lengthOf(piece);
  const size = Math.ceil(byteCount / Math.ceil(byteCount / mostBytes));
  const parts: Piece[][] = [];
  for (let start = 0; start < byteCount; start += size) parts.push(cutPieces(piece, start, size));
  return parts;
}

function isCopied(part: readonly Piece[]): boolean {
  return part.length === 1 && lengthOf(part) >= LEAST_PART_BYTES;
}

/** Resolves when no part is on its way. False if the bucket cannot copy. */
async function fill(
  { direct, read }: JoinTarget,
  upload: DirectUpload,
  parts: readonly (readonly Piece[])[],
): Promise<boolean> {
  const numbered = parts.map((part, index) => ({ part, number: index + 1 }));
  const copied = numbered.filter(({ part }) => isCopied(part));
  const sent = numbered.filter(({ part }) => !isCopied(part));
  const isPossible = await allAtOnce(copied, COPIES_AT_ONCE, async ({ part: [first], number }) => {
    return first !== undefined && (await direct.copy(upload, number, first));
  });
  if (!isPossible) return false;
  // The parts are sent one after the other, because they are in memory.
  for (const { part, number } of sent) await direct.put(upload, number, await read(part));
  return true;
}
