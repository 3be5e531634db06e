import { UnprocessableError } from '../unprocessable-error.ts';
import { decode, type DecodeSettings, type Pixels } from './libvips.ts';
import type { PictureInput } from './readable-input.ts';

/** Warnings of the JPEG decoder about pixels that are lost. It fills them with grey. */
const LOST_PIXELS =
  /premature end of data segment|bad huffman code|bad arithmetic code|found marker \w+ instead of RST/i;

/**
 * Superfluous bytes before a marker other than the end. After a clean header they are the rest of damaged pixels.
 * Some encoders write such bytes before the end of the file, which is harmless.
 */
const SUPERFLUOUS = /extraneous bytes before marker 0x(?!d9)/i;

/** The time limit has passed. A second attempt would take too long. */
const TIME_IS_UP = /time ?out/i;

/**
 * Decodes a JPEG and rejects with `picture_damaged` if pixels are lost. The library reports them only as warnings.
 * Other warnings are ignored, for which the picture is decoded a second time. If the first warning of a file is such a
 * warning, the library does not report lost pixels.
 */
export async function decodeJpegStrictly(
  input: PictureInput,
  settings: DecodeSettings,
  hasCleanHeader: boolean,
): Promise<Pixels> {
  try {
    return await decode(input, { ...settings, failsOnWarning: true });
  } catch (error) {
    const words = error instanceof Error ? error.message : '';
    if (TIME_IS_UP.test(words)) throw error;
    if (LOST_PIXELS.test(words) || (hasCleanHeader && SUPERFLUOUS.test(words))) throw lostPixels(error);
    const pixels = await decode(input, settings);
    if (SUPERFLUOUS.test(words) && hasOneColour(pixels)) throw lostPixels(error);
    return pixels;
  }
}

/** If a file with bytes between its segments has only one colour, its tables or all its pixels are damaged. */
function hasOneColour({ data, channels }: Pixels): boolean {
  for (let at = channels; at < data.length; at += 1) if (data[at] !== data[at % channels]) return false;
  return true;
}

function lostPixels(cause: unknown): UnprocessableError {
  const detail =
    'The picture is damaged: a part of its pixels is lost. Send the original again, or save it in another program.';
  return new UnprocessableError('picture_damaged', detail, { cause });
}
