import type { DirectParts, DirectUpload, StoredPart } from './direct-parts.ts';
import type { ByteRange, SizedKey } from './storage.ts';

/** A range of one part. */
export interface Piece extends ByteRange {
  key: string;
}

/** The durable bytes from the start of the file up to the first gap. */
export interface StoredPieces {
  bytes: number;
  /** The ranges of the parts, without the bytes in `filled`. Empty if the parts were joined. */
  pieces: readonly Piece[];
  /** True if the file is in one piece under its final key. */
  isJoined: boolean;
  /** The keys of all parts, also of unused ones. */
  keys: readonly string[];
  /** Set if the bytes are in one part that can become the file without a copy. */
  sole?: SizedKey;
  /** Set if more bytes can be appended to the last part. */
  last?: { offset: number; part: SizedKey };
  /** Set if the storage is a bucket that can list its multipart uploads, and the parts are not joined. */
  filled?: FilledParts;
}

/** The first bytes of a file in a bucket: the parts of its multipart upload. They cannot be read before its end. */
export interface FilledParts {
  /** Undefined before the first part. */
  upload: DirectUpload | undefined;
  /** Every part has this many bytes, so a number means the same bytes for every request. */
  partBytes: number;
  /** The bytes in parts. */
  bytes: number;
}

const MIB = 1024 * 1024;

/** Minimum size of a part. S3 accepts 5 MiB. */
export const LEAST_PART_BYTES = 8 * MIB;

/** Maximum number of parts of an object. S3 allows 10,000. */
export const MOST_PARTS = 9_000;

/**
 * Reads the multipart upload of a file that is not complete. Undefined if the server cannot list multipart uploads.
 * @param totalBytes null if it is not known yet.
 */
export async function readFilled(
  direct: DirectParts,
  key: string,
  totalBytes: number | null,
  leastPartBytes: number,
): Promise<FilledParts | undefined> {
  const found = await direct.find(key);
  if (found === 'unknown') return undefined;
  const upload = found === 'none' ? undefined : { key, uploadId: found.uploadId };
  const parts = upload === undefined ? [] : ((await direct.list(upload)) ?? []);
  const partBytes = partBytesOf(parts, totalBytes, leastPartBytes);
  // A shorter part is the last part of a completion that failed.
  const count = parts.findIndex(({ number, sizeBytes }, index) => number !== index + 1 || sizeBytes !== partBytes);
  return { upload, partBytes, bytes: (count < 0 ? parts.length : count) * partBytes };
}

/** Returns the size of parts. The first stored part decides, because the total may have become known after it. */
function partBytesOf([first]: readonly StoredPart[], totalBytes: number | null, leastPartBytes: number): number {
  if (first?.number === 1 && first.sizeBytes >= leastPartBytes) return first.sizeBytes;
  return Math.max(leastPartBytes, Math.ceil((totalBytes ?? 0) / MOST_PARTS / MIB) * MIB);
}

/** Returns the pieces from `start` on that have `byteCount` bytes together. */
export function cutPieces(pieces: readonly Piece[], start: number, byteCount: number): Piece[] {
  const found: Piece[] = [];
  let position = 0;
  for (const piece of pieces) {
    const length = piece.end - piece.start + 1;
    const from = Math.max(0, start - position);
    const to = Math.min(length, start + byteCount - position);
    if (from < to) found.push({ key: piece.key, start: piece.start + from, end: piece.start + to - 1 });
    position += length;
  }
  return found;
}

/** Returns the number of bytes in pieces. */
export function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { start, end }) => sum + end - start + 1, 0);
}
