import type { FileWindow } from './file-window.ts';
import { tooLarge, tooManyFrames } from './too-large.ts';

const ADVICE = 'Save the picture again, and send that.';

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** Beside its frames a WebP has a header, a profile, EXIF and XMP. */
const MAX_OTHER_CHUNKS = 100;

/**
 * Counts the chunks of a WebP (RFC 9649, section 2.3): the library keeps a list of them all. Throws `picture_too_large`
 * for more than `maxFrames` frames and for more than 100 other chunks.
 */
export async function checkWebp(window: FileWindow, maxFrames: number): Promise<void> {
  let frames = 0;
  let others = 0;
  for (let at = RIFF_HEADER_BYTES; ;) {
    const header = await window.read(at, CHUNK_HEADER_BYTES);
    if (header === undefined) return;
    if (header.toString('latin1', 0, 4) === 'ANMF') frames += 1;
    else others += 1;
    if (frames > maxFrames) throw tooManyFrames(maxFrames);
    if (others > MAX_OTHER_CHUNKS) throw tooLarge(`more than ${MAX_OTHER_CHUNKS} parts that are no frames`, ADVICE);
    const length = header.readUInt32LE(4);
    at += CHUNK_HEADER_BYTES + length + (length % 2);
  }
}

const BOX_HEADER_BYTES = 8;
const LARGE_BOX_HEADER_BYTES = 16;
const MAX_BOXES = 1000;

/**
 * Counts the outermost boxes of an AVIF (ISO/IEC 14496-12, section 4.2); the library limits those within. Throws
 * `picture_too_large` for more than 1000: some five are usual.
 */
export async function checkAvif(window: FileWindow): Promise<void> {
  let at = 0;
  for (let boxes = 0; ; boxes += 1) {
    if (boxes > MAX_BOXES) throw tooLarge(`more than ${MAX_BOXES} parts`, ADVICE);
    const header = await window.read(at, BOX_HEADER_BYTES);
    if (header === undefined) return;
    const size = header.readUInt32BE(0);
    const large = size === 1 ? await window.read(at, LARGE_BOX_HEADER_BYTES) : undefined;
    const bytes = large === undefined ? size : Number(large.readBigUInt64BE(BOX_HEADER_BYTES));
    // 0 is the last one, which goes on to the end.
    if (bytes < BOX_HEADER_BYTES) return;
    at += bytes;
  }
}
