import { decode, type DecodeSettings, type Pixels } from './libvips.ts';
import type { PictureInput } from './readable-input.ts';

/** Errors of the TIFF decoder, and the time limit. Other words are warnings about intact pixels. */
const FINAL = /tiff|tile|time ?out/i;

/**
 * Decodes a TIFF and rejects if a part of its pixels cannot be decoded. Otherwise the library makes a tile that it
 * cannot decode black or transparent, without an error.
 */
export async function decodeTiffStrictly(input: PictureInput, settings: DecodeSettings): Promise<Pixels> {
  try {
    return await decode(input, { ...settings, failsOnWarning: true });
  } catch (error) {
    if (error instanceof Error && FINAL.test(error.message)) throw error;
    return await decode(input, settings);
  }
}
