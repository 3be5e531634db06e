import type { StepContext } from '../processor.ts';
import { decode as decodeFile } from './libvips.ts';
import { readError } from './read-error.ts';
import type { PictureState } from './state.ts';
import { boundsOf, type PictureTools } from './tools.ts';

/** What is said of a file that takes too long to read. */
export const SLOW_TO_READ = { does: 'Reading the picture', advice: 'Send a smaller one, or another format.' };

/** The one decode: straight to the size of the largest variant, upright, in sRGB. */
export function decode(tools: PictureTools) {
  return async (state: PictureState, { inputPath, signal }: StepContext): Promise<void> => {
    const bounds = boundsOf(tools, signal, SLOW_TO_READ);
    const { maxPixels } = tools.limits;
    const read = bounds.wait((maxSeconds) => decodeFile(inputPath, state.plan.get().decoded, { maxPixels, maxSeconds }));
    state.decoded.set(
      await read.catch((error: unknown) => {
        throw readError(error);
      }),
    );
  };
}
