import { decode, type DecodeSettings, type Pixels } from './libvips.ts';
import type { PictureInput } from './readable-input.ts';

/** The time limit has passed. A second attempt would take too long. */
const TIME_IS_UP = /time ?out/i;

/**
 * Decodes a picture whose damage the library may report only as a warning. The library stops at its first warning and
 * reports no others. `onWarning` receives the words of that warning. It returns the pixels of a second attempt, or
 * throws.
 */
export async function decodeStrictly(
  input: PictureInput,
  settings: DecodeSettings,
  onWarning: (words: string, error: unknown) => Promise<Pixels>,
): Promise<Pixels> {
  try {
    return await decode(input, { ...settings, failsOnWarning: true });
  } catch (error) {
    const words = error instanceof Error ? error.message : '';
    if (TIME_IS_UP.test(words)) throw error;
    return await onWarning(words, error);
  }
}
