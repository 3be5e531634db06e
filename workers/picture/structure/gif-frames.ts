import type { Buffer } from 'node:buffer';
import type { FileWindow } from './file-window.ts';
import { tooManyFrames } from './too-large.ts';

const HEADER_BYTES = 13;
const [IMAGE, EXTENSION] = [0x2c, 0x21];
const IMAGE_BYTES = 10;
const EXTENSION_BYTES = 2;
const HAS_COLOURS = 0x80;
const COLOURS_BITS = 7;

/**
 * Counts the frames of a GIF (GIF89a, section 20) without unpacking them, because libvips lists all frames when it
 * opens a file. Throws `picture_too_large` for more than `maxFrames`. Ignores truncated or damaged files.
 */
export async function checkGif(window: FileWindow, maxFrames: number): Promise<void> {
  const header = await window.read(0, HEADER_BYTES);
  if (header === undefined) return;
  let frames = 0;
  for (let at = HEADER_BYTES + coloursBytes(header, HEADER_BYTES - 3); ;) {
    const block = await window.read(at, 1);
    if (block?.[0] === IMAGE) {
      frames += 1;
      if (frames > maxFrames) throw tooManyFrames(maxFrames);
      const image = await window.read(at, IMAGE_BYTES);
      if (image === undefined) return;
      // One byte, the smallest code size, precedes the data.
      at += IMAGE_BYTES + coloursBytes(image, IMAGE_BYTES - 1) + 1;
    } else if (block?.[0] === EXTENSION) at += EXTENSION_BYTES;
    else return;
    const end = await afterSubBlocks(window, at);
    if (end === undefined) return;
    at = end;
  }
}

/** Returns the size of the colour table that the packed byte at `at` describes. */
function coloursBytes(bytes: Buffer, at: number): number {
  const packed = bytes[at] ?? 0;
  return (packed & HAS_COLOURS) === 0 ? 0 : 3 * (2 << (packed & COLOURS_BITS));
}

/** Returns the position after the sub-blocks, or undefined if the file ends before. */
async function afterSubBlocks(window: FileWindow, start: number): Promise<number | undefined> {
  let at = start;
  for (;;) {
    if (!window.holds(at, 1) && !(await window.load(at, 1))) return undefined;
    const length = window.bytes(at, 1)[0] ?? 0;
    at += 1 + length;
    if (length === 0) return at;
  }
}
