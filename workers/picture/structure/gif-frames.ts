import type { Buffer } from 'node:buffer';
import type { FileWindow } from './file-window.ts';
import { tooManyFrames } from './too-large.ts';

const HEADER_BYTES = 13;
const [IMAGE, EXTENSION] = [0x2c, 0x21];
const IMAGE_BYTES = 10;
const EXTENSION_BYTES = 2;
const HAS_COLOURS = 0x80;
const COLOURS_BITS = 7;
/** The block before a frame says whether one of its colours is transparent (GIF89a, section 23). */
const CONTROL = 0xf9;
const CONTROL_BYTES = 4;
const HAS_TRANSPARENCY = 1;

/** Facts about the blocks of a GIF. */
interface GifBlocks {
  /** True if a part of the canvas is transparent because the first frame does not cover it. */
  readonly isCanvasVisible: boolean;
  /** True if a frame declares a transparent colour. */
  readonly hasTransparentColour: boolean;
  /** True if the first frame declares a transparent colour. */
  readonly isFirstFrameClear: boolean;
  /** Position after the last complete block. */
  readonly end: number;
}

/**
 * Counts the frames of a GIF (GIF89a, section 20) without unpacking them, because libvips lists all frames when it
 * opens a file. Throws `picture_too_large` for more than `maxFrames`. Ignores truncated or damaged files.
 */
export async function checkGif(window: FileWindow, maxFrames: number): Promise<void> {
  await readGifBlocks(window, maxFrames);
}

/** Reads the blocks of a GIF. Undefined if it is truncated or damaged. Throws as `checkGif` does. */
export async function readGifBlocks(window: FileWindow, maxFrames = Infinity): Promise<GifBlocks | undefined> {
  const header = await window.read(0, HEADER_BYTES);
  if (header === undefined) return undefined;
  const canvas = header.subarray(6, 10).toString('latin1');
  let frames = 0;
  let isCanvasVisible = false;
  let hasTransparentColour = false;
  let isFirstFrameClear = false;
  for (let at = HEADER_BYTES + coloursBytes(header, HEADER_BYTES - 3); ;) {
    const block = await window.read(at, 1);
    if (block?.[0] === IMAGE) {
      frames += 1;
      if (frames > maxFrames) throw tooManyFrames(maxFrames);
      const image = await window.read(at, IMAGE_BYTES);
      if (image === undefined) return undefined;
      if (frames === 1) isCanvasVisible = image.toString('latin1', 1, 9) !== `\0\0\0\0${canvas}`;
      // One byte, the smallest code size, precedes the data.
      at += IMAGE_BYTES + coloursBytes(image, IMAGE_BYTES - 1) + 1;
    } else if (block?.[0] === EXTENSION) {
      const control = await window.read(at, CONTROL_BYTES);
      if (control?.[1] === CONTROL && ((control[3] ?? 0) & HAS_TRANSPARENCY) !== 0) {
        hasTransparentColour = true;
        if (frames === 0) isFirstFrameClear = true;
      }
      at += EXTENSION_BYTES;
    } else return { isCanvasVisible, hasTransparentColour, isFirstFrameClear, end: at };
    const end = await afterSubBlocks(window, at);
    if (end === undefined) return undefined;
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
