import { Buffer } from 'node:buffer';
import { rgbaToThumbHash } from 'thumbhash';
import { shrink, toRgba } from './libvips.ts';
import { PREVIEW_LONGEST_SIDE } from './limits.ts';
import { fitWithin } from './size.ts';
import type { PictureState } from './state.ts';

/** Leaves a preview, and its thumbhash: a few bytes that a page can paint before any picture has come. */
export async function thumbhash(state: PictureState): Promise<void> {
  const smallest = state.smallest.get();
  const preview = await toRgba(await shrink(smallest, fitWithin(smallest, PREVIEW_LONGEST_SIDE)));
  state.preview.set(preview);
  const hash = rgbaToThumbHash(preview.width, preview.height, preview.data);
  state.thumbhash.set(Buffer.from(hash).toString('base64'));
}
