import { PICTURE_VARIANTS } from '../../src/kinds/picture.ts';
import type { StepContext } from '../processor.ts';
import { decode as decodeFile } from './libvips.ts';
import type { PictureLimits } from './limits.ts';
import { readError } from './read-error.ts';
import { fitWithin } from './size.ts';
import type { PictureState } from './state.ts';

/** The one decode: straight to the size of the largest variant, upright, in sRGB. */
export function decode(limits: PictureLimits) {
  return async (state: PictureState, { inputPath }: StepContext): Promise<void> => {
    const largestSide = Math.max(...PICTURE_VARIANTS.map((spec) => spec.longestSide));
    const size = fitWithin(state.facts.get(), largestSide);
    const options = { maxPixels: limits.maxPixels, maxSeconds: limits.maxDecodeSeconds };
    const pixels = await decodeFile(inputPath, size, options).catch((error: unknown) => {
      throw readError(error, limits.maxDecodeSeconds);
    });
    state.decoded.set(pixels);
  };
}
