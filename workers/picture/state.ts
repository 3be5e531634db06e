import type { PictureResult, Variant } from '../../src/api.ts';
import { createSlot, type Slot } from '../slot.ts';
import type { Pixels } from './libvips.ts';

/** What the header tells of a picture. */
export type PictureFacts = Omit<PictureResult, 'kind' | 'dominantColour' | 'thumbhash' | 'variants'>;

/** What the steps leave for each other, in the order in which they do. */
export interface PictureState {
  readonly facts: Slot<PictureFacts>;
  /** At the size of the largest variant. */
  readonly decoded: Slot<Pixels>;
  readonly variants: Slot<Variant[]>;
  /** At the size of the smallest variant. */
  readonly smallest: Slot<Pixels>;
  /** RGBA, longer side 100 pixels at most. */
  readonly preview: Slot<Pixels>;
  readonly thumbhash: Slot<string>;
  readonly dominantColour: Slot<string>;
}

/** Empty slots for one attempt. */
export function createPictureState(): PictureState {
  return {
    facts: createSlot('facts'),
    decoded: createSlot('decoded'),
    variants: createSlot('variants'),
    smallest: createSlot('smallest'),
    preview: createSlot('preview'),
    thumbhash: createSlot('thumbhash'),
    dominantColour: createSlot('dominantColour'),
  };
}
