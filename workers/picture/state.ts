import type { PictureResult, Variant } from '../../src/api.ts';
import { createSlot, type Slot } from '../slot.ts';
import type { KeptExif } from './kept-exif.ts';
import type { Pixels } from './libvips.ts';
import type { PicturePlan } from './plan.ts';

/** What the header tells of a picture. */
export type PictureFacts = Omit<PictureResult, 'kind' | 'dominantColour' | 'thumbhash' | 'perceptualHash' | 'variants'>;

/** What the steps leave for each other, in the order in which they do. */
export interface PictureState {
  readonly facts: Slot<PictureFacts>;
  /** What every variant says of the picture; undefined where they say nothing. */
  readonly kept: Slot<KeptExif | undefined>;
  readonly plan: Slot<PicturePlan>;
  readonly decoded: Slot<Pixels>;
  readonly variants: Slot<Variant[]>;
  /** The smallest that was needed for a variant, and is large enough for the preview. */
  readonly smallest: Slot<Pixels>;
  /** RGBA, longer side 100 pixels at most. */
  readonly preview: Slot<Pixels>;
  readonly thumbhash: Slot<string>;
  readonly perceptualHash: Slot<string>;
  readonly dominantColour: Slot<string>;
}

/** Empty slots for one attempt. */
export function createPictureState(): PictureState {
  return {
    facts: createSlot('facts'),
    kept: createSlot('kept'),
    plan: createSlot('plan'),
    decoded: createSlot('decoded'),
    variants: createSlot('variants'),
    smallest: createSlot('smallest'),
    preview: createSlot('preview'),
    thumbhash: createSlot('thumbhash'),
    perceptualHash: createSlot('perceptualHash'),
    dominantColour: createSlot('dominantColour'),
  };
}
