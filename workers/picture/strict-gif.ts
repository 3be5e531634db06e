import { decodeStrictly } from './decode-strictly.ts';
import { decode, type DecodeSettings, type Pixels } from './libvips.ts';
import type { PictureInput } from './readable-input.ts';
import { lostPixels } from './structure/lost-pixels.ts';

/** The warning about a frame whose pixels end early. The rest of the frame is empty. */
const LOST_PIXELS = /invalid frame data/i;

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
  return await decodeStrictly(input, settings, async (words, error) => {
    const isBroken = LOST_PIXELS.test(words);
    if (isBroken && frames === 1) throw lostPixels(error);
    const pixels = await decode(input, settings);
    if (isBroken) onBrokenFrames();
    return pixels;
  });
}
