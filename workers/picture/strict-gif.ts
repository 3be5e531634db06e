import { decode, type DecodeSettings, type Pixels } from './libvips.ts';
import type { PictureInput } from './readable-input.ts';
import { lostPixels } from './structure/lost-pixels.ts';

/** The warning about a frame whose pixels end early. The rest of the frame is empty. */
const LOST_PIXELS = /invalid frame data/i;

/** The time limit has passed. A second attempt would take too long. */
const TIME_IS_UP = /time ?out/i;

/**
 * Decodes the first frame of a GIF. The library reports broken frames only as a warning, and not which frames are
 * broken. Rejects with `picture_damaged` for a GIF of one frame. For others it calls `onBrokenFrames`.
 */
export async function decodeGifStrictly(
  input: PictureInput,
  settings: DecodeSettings,
  frames: number,
  onBrokenFrames: () => void,
): Promise<Pixels> {
  try {
    return await decode(input, { ...settings, failsOnWarning: true });
  } catch (error) {
    const words = error instanceof Error ? error.message : '';
    if (TIME_IS_UP.test(words)) throw error;
    const isBroken = LOST_PIXELS.test(words);
    if (isBroken && frames === 1) throw lostPixels(error);
    const pixels = await decode(input, settings);
    if (isBroken) onBrokenFrames();
    return pixels;
  }
}
