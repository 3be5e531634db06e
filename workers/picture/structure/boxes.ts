import type { FileWindow } from './file-window.ts';
import { tooLarge, tooManyFrames } from './too-large.ts';

const ADVICE = 'Save the picture again and upload the new file.';

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
/** The maximum number of chunks that are not frames. A header, a colour profile, EXIF and XMP are normal. */
const MAX_OTHER_CHUNKS = 100;

/**
 * Counts the chunks of a WebP (RFC 9649, section 2.3), because libvips keeps all of them in a list. Throws
 * `picture_too_large` for more than `maxFrames` frames or more than 100 other chunks.
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
    if (others > MAX_OTHER_CHUNKS) throw tooLarge(`more than ${MAX_OTHER_CHUNKS} parts besides frames`, ADVICE);
    const length = header.readUInt32LE(4);
    at += CHUNK_HEADER_BYTES + length + (length % 2);
  }
}

const BOX_HEADER_BYTES = 8;
const LARGE_BOX_HEADER_BYTES = 16;
const MAX_BOXES = 1000;

/**
 * Counts the outermost boxes of an AVIF (ISO/IEC 14496-12, section 4.2). libvips limits the inner ones itself. Throws
 * `picture_too_large` for more than 1000 boxes. About five are usual.
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
    // A size of 0 means that the box extends to the end of the file.
    if (bytes < BOX_HEADER_BYTES) return;
    at += bytes;
  }
}
