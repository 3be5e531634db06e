import { Buffer } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { UnprocessableError } from '../unprocessable-error.ts';
import type { FileWindow } from './structure/file-window.ts';
import { readGifBlocks } from './structure/gif-frames.ts';

/** A picture for libvips: the path of the file, or its bytes if they had to be changed. */
export type PictureInput = string | Buffer;

/** The input for libvips. */
interface ReadableInput {
  readonly input: PictureInput;
  /** Frames that were added at the end, which are not part of the picture. */
  readonly addedFrames: number;
}

/** The largest file that can be changed. Its bytes are held in memory while the picture is processed. */
export const MAX_CHANGED_BYTES = 64 * 1024 * 1024;

/** Brands of AVIF files that libvips opens. It looks only at the major brand. */
const KNOWN_BRANDS: readonly string[] = ['avif', 'mif1', 'msf1'];
const BRAND_AT = 8;

/** One clear pixel: a block that declares a transparent colour, a frame, and the end of the file (GIF89a). */
const CLEAR_FRAME = Buffer.from('21f90401000000002c00000000010001000002024401003b', 'hex');

/**
 * Returns the file in a form that libvips reads correctly. Most files stay as they are. Rejects with
 * `picture_unsupported` if a file that must be changed has more than 64 MiB, or with the reason of the window's signal.
 */
export async function readableInput(window: FileWindow, path: string, type: string): Promise<ReadableInput> {
  const asItIs = { input: path, addedFrames: 0 };
  if (type === 'image/avif') {
    const brand = (await window.read(BRAND_AT, 4))?.toString('latin1');
    if (brand === undefined || KNOWN_BRANDS.includes(brand)) return asItIs;
    const bytes = await bytesOf(path, window);
    bytes.write('avif', BRAND_AT, 'latin1');
    return { input: bytes, addedFrames: 0 };
  }
  const blocks = type === 'image/gif' ? await readGifBlocks(window) : undefined;
  if (blocks === undefined || !blocks.isCanvasVisible || blocks.hasTransparentColour) return asItIs;
  // libvips leaves out the transparency unless a frame declares a transparent colour.
  const bytes = await bytesOf(path, window);
  return { input: Buffer.concat([bytes.subarray(0, blocks.end), CLEAR_FRAME]), addedFrames: 1 };
}

async function bytesOf(path: string, { sizeBytes }: FileWindow): Promise<Buffer> {
  if (sizeBytes > MAX_CHANGED_BYTES)
    throw new UnprocessableError(
      'picture_unsupported',
      'The picture has an unusual form and more than 64 MiB. Save it as JPEG or PNG and upload the new file.',
    );
  return await readFile(path);
}
