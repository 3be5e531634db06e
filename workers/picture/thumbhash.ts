import { Buffer } from 'node:buffer';
import { rgbaToThumbHash } from 'thumbhash';
import type { StepContext } from '../processor.ts';
import { SLOW_TO_READ } from './decode.ts';
import { toRgba } from './libvips.ts';
import { PREVIEW_LONGEST_SIDE } from './limits.ts';
import { fitWithin } from './size.ts';
import type { PictureState } from './state.ts';
import { boundsOf, type PictureTools } from './tools.ts';

/**
 * Creates the step that sets the preview and its thumbhash: a few bytes that a page can show before a picture is
 * loaded.
 */
export function thumbhash(tools: PictureTools) {
  return async (state: PictureState, { signal }: StepContext): Promise<void> => {
    const smallest = state.smallest.get();
    const size = fitWithin(smallest, PREVIEW_LONGEST_SIDE);
    const preview = await boundsOf(tools, signal, SLOW_TO_READ).wait(() => toRgba(smallest, size));
    state.preview.set(preview);
    const hash = rgbaToThumbHash(preview.width, preview.height, preview.data);
    state.thumbhash.set(Buffer.from(hash).toString('base64'));
  };
}
