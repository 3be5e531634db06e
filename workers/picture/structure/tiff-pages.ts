import type { Buffer } from 'node:buffer';
import { UnprocessableError } from '../../unprocessable-error.ts';
import type { FileWindow } from './file-window.ts';
import { tooManyFrames } from './too-large.ts';

/** How TIFF and BigTIFF encode offsets and counts (TIFF 6.0, section 2). */
interface Layout {
  readonly firstAt: number;
  readonly countBytes: number;
  readonly entryBytes: number;
  count(bytes: Buffer): number;
  place(bytes: Buffer): number;
  readonly placeBytes: number;
}

const HEADER_BYTES = 16;
const BIG = 43;

/**
 * Follows the pages of a TIFF from directory to directory, because libvips does so when it opens a file. Throws
 * `picture_too_large` for more than `maxFrames` pages, and `picture_damaged` if a page leads back to an earlier one.
 */
export async function checkTiff(window: FileWindow, maxFrames: number): Promise<void> {
  const header = await window.read(0, Math.min(HEADER_BYTES, window.sizeBytes));
  const layout = header === undefined ? undefined : layoutOf(header);
  if (header === undefined || layout === undefined) return;
  const seen = new Set<number>();
  let at = layout.place(header.subarray(layout.firstAt));
  while (at !== 0) {
    if (seen.has(at)) throw loop();
    seen.add(at);
    if (seen.size > maxFrames) throw tooManyFrames(maxFrames);
    const start = await window.read(at, layout.countBytes);
    if (start === undefined) return;
    const end = at + layout.countBytes + layout.count(start) * layout.entryBytes;
    const next = await window.read(end, layout.placeBytes);
    if (next === undefined) return;
    at = layout.place(next);
  }
}

function layoutOf(header: Buffer): Layout | undefined {
  const order = header.toString('latin1', 0, 2);
  if ((order !== 'II' && order !== 'MM') || header.length < HEADER_BYTES / 2) return undefined;
  const isLittle = order === 'II';
  const short = (bytes: Buffer) => (isLittle ? bytes.readUInt16LE(0) : bytes.readUInt16BE(0));
  const long = (bytes: Buffer) => (isLittle ? bytes.readUInt32LE(0) : bytes.readUInt32BE(0));
  const big = (bytes: Buffer) => Number(isLittle ? bytes.readBigUInt64LE(0) : bytes.readBigUInt64BE(0));
  if (short(header.subarray(2)) !== BIG)
    return { firstAt: 4, countBytes: 2, entryBytes: 12, count: short, place: long, placeBytes: 4 };
  if (header.length < HEADER_BYTES) return undefined;
  return { firstAt: 8, countBytes: 8, entryBytes: 20, count: big, place: big, placeBytes: 8 };
}

function loop(): UnprocessableError {
  return new UnprocessableError(
    'picture_damaged',
    'A page of the TIFF leads back to an earlier page. Save the picture again and upload the new file.',
  );
}
