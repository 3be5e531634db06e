import type { DirectParts, DirectUpload } from './direct-parts.ts';
import { cutPieces, lengthOf, MOST_PARTS, type Piece } from './stored-pieces.ts';

const MIB = 1024 * 1024;

/** S3 accepts no shorter part but the last one, and copies no range of a shorter object. */
const LEAST_PART_BYTES = 5 * MIB;

/** S3 copies at most 5 GiB with one request. Shorter ranges are copied at the same time. */
const MOST_COPIED_BYTES = 64 * MIB;

const COPIES_AT_ONCE = 16;

/** A worker joins a file of many short pieces, because the bytes would pass the request that waits for them. */
const MOST_READ_BYTES = 64 * MIB;
const MOST_READ_PIECES = 256;

/** How the pieces become one object. */
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
  let open: Piece[] = [];
  for (const piece of pieces) {
    const byteCount = lengthOf([piece]);
    const missing = open.length === 0 ? 0 : LEAST_PART_BYTES - lengthOf(open);
    // If the rest would be too short for a part, it goes with the beginning.
    const taken = byteCount - missing < LEAST_PART_BYTES ? byteCount : missing;
    open.push(...cutPieces([piece], 0, taken));
    if (lengthOf(open) >= LEAST_PART_BYTES) {
      parts.push(open);
      open = [];
    }
    parts.push(...splitEvenly(cutPieces([piece], taken, byteCount)));
  }
  return open.length === 0 ? parts : [...parts, open];
}

function splitEvenly(piece: readonly Piece[]): Piece[][] {
  const byteCount = lengthOf(piece);
  const size = Math.ceil(byteCount / Math.ceil(byteCount / MOST_COPIED_BYTES));
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
  let isPossible = true;
  let failure: { error: unknown } | undefined;
  const fillAll = async (some: Iterable<[number, readonly Piece[]]>): Promise<void> => {
    for (const [index, part] of some) {
      if (!isPossible || failure !== undefined) return;
      try {
        const [first] = part;
        if (first === undefined || !isCopied(part)) await direct.put(upload, index + 1, await read(part));
        else if (!(await direct.copy(upload, index + 1, first))) isPossible = false;
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  const copied = [...parts.entries()].filter(([, part]) => isCopied(part)).values();
  // One after the other, because they are in memory.
  const sent = [...parts.entries()].filter(([, part]) => !isCopied(part));
  await Promise.all([fillAll(sent), ...Array.from({ length: COPIES_AT_ONCE }, () => fillAll(copied))]);
  if (failure !== undefined) throw failure.error;
  return isPossible;
}
