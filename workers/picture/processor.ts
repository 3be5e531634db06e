import type { PictureResult } from '../../src/api.ts';
import { pictureKind } from '../../src/kinds/picture.ts';
import type { Processor } from '../processor.ts';
import { decode } from './decode.ts';
import { dominantColour } from './dominant-colour.ts';
import { inspect } from './inspect.ts';
import { PICTURE_LIMITS, type PictureLimits } from './limits.ts';
import { perceptualHash } from './perceptual-hash.ts';
import { createPictureState, type PictureState } from './state.ts';
import { AbandonedCalls } from './step-bounds.ts';
import { thumbhash } from './thumbhash.ts';
import type { PictureTools } from './tools.ts';
import { variants } from './variants.ts';

/**
 * Weights are the milliseconds that each step takes of one thread for a 12-megapixel JPEG of 3.6 MB.
 * Decoding is the mean of 52 for a photo without a colour profile and 128 for one with.
 */
export function createPictureProcessor(limits: Partial<PictureLimits> = {}, kind = pictureKind()): Processor<PictureState, PictureResult> {
  const tools: PictureTools = { limits: { ...PICTURE_LIMITS, ...limits }, abandoned: new AbandonedCalls() };
  return {
    kind: kind.name,
    steps: [
      { name: 'inspect', weight: 1, run: inspect(tools, (options) => kind.options.parse(options)) },
      { name: 'decode', weight: 90, run: decode(tools) },
      { name: 'variants', weight: 72, run: variants(tools) },
      { name: 'thumbhash', weight: 2, run: thumbhash(tools) },
      { name: 'fingerprint', weight: 1, run: perceptualHash(tools) },
      { name: 'colour', weight: 1, run: dominantColour },
    ],
    begin: createPictureState,
    abandonedCalls: () => tools.abandoned.count,
    result: (state) => ({
      kind: 'picture',
      ...state.facts.get(),
      dominantColour: state.dominantColour.get(),
      thumbhash: state.thumbhash.get(),
      perceptualHash: state.perceptualHash.get(),
      variants: state.variants.get(),
    }),
  };
}
