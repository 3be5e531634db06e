import type { StepContext } from '../processor.ts';
import { decode as decodeFile } from './libvips.ts';
import type { PictureLimits } from './limits.ts';
import { readError } from './read-error.ts';
import type { PictureState } from './state.ts';

/** The one decode: straight to the size of the largest variant, upright, in sRGB. */
export function decode(limits: PictureLimits) {
  return async (state: PictureState, { inputPath }: StepContext): Promise<void> => {
    const options = { maxPixels: limits.maxPixels, maxSeconds: limits.maxDecodeSeconds };
    const pixels = await decodeFile(inputPath, state.plan.get().decoded, options).catch((error: unknown) => {
      throw readError(error, limits.maxDecodeSeconds);
    });
    state.decoded.set(pixels);
  };
}
