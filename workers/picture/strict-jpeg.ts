import type { Buffer } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { decodeStrictly } from './decode-strictly.ts';
import { decode, type DecodeSettings, type Pixels } from './libvips.ts';
import { MAX_CHANGED_BYTES, type PictureInput } from './readable-input.ts';
import { cleanJpeg } from './structure/clean-jpeg.ts';
import { lostPixels } from './structure/lost-pixels.ts';

/** Warnings of the JPEG decoder about pixels that are lost. It fills them with grey. */
const LOST_PIXELS =
  /premature end of data segment|bad huffman code|bad arithmetic code|found marker \w+ instead of RST/i;

/**
 * Superfluous bytes before a marker other than the end. After a clean header they are the rest of damaged pixels.
 * Some encoders write such bytes before the end of the file, which is harmless.
 */
const SUPERFLUOUS = /extraneous bytes before marker 0x(?!d9)/i;

/**
 * Decodes a JPEG and rejects with `picture_damaged` if pixels are lost. The library reports them only as warnings, and
 * only the first warning of a file. After a harmless one the picture is decoded again, without its fault if possible,
 * so that later warnings count too.
 */
export async function decodeJpegStrictly(
  input: PictureInput,
  settings: DecodeSettings,
  hasCleanHeader: boolean,
): Promise<Pixels> {
  return await decodeStrictly(input, settings, async (words, error) => {
    if (LOST_PIXELS.test(words) || (hasCleanHeader && SUPERFLUOUS.test(words))) throw lostPixels(error);
    const clean = await withoutFaults(input);
    return clean === undefined ? await decode(input, settings) : await decodeJpegStrictly(clean, settings, true);
  });
}

async function withoutFaults(input: PictureInput): Promise<Buffer | undefined> {
  if (typeof input !== 'string') return undefined;
  return (await stat(input)).size > MAX_CHANGED_BYTES ? undefined : cleanJpeg(await readFile(input));
}
