import { decodeStrictly } from './decode-strictly.ts';
import { decode, type DecodeSettings, type Pixels } from './libvips.ts';
import type { PictureInput } from './readable-input.ts';

/** Errors of the TIFF decoder. Other words are warnings about intact pixels. */
const FINAL = /tiff|tile/i;

/**
 * Decodes a TIFF and rejects if a part of its pixels cannot be decoded. Otherwise the library makes a tile that it
 * cannot decode black or transparent, without an error.
 */
export async function decodeTiffStrictly(input: PictureInput, settings: DecodeSettings): Promise<Pixels> {
  return await decodeStrictly(input, settings, async (words, error) => {
    if (FINAL.test(words)) throw error;
    return await decode(input, settings);
  });
}
