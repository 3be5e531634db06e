import type { PictureResult, Variant } from '../../src/wire/documents.ts';
import { createSlot, type Slot } from '../slot.ts';
import type { CostlyFacts, PictureCosts } from './costs.ts';
import type { WayToSrgb } from './icc-profile.ts';
import type { KeptExif } from './kept-exif.ts';
import type { Pixels } from './libvips.ts';
import type { PicturePlan } from './plan.ts';

/** What the header tells of a picture. */
export type PictureFacts = Omit<PictureResult, 'kind' | 'dominantColour' | 'thumbhash' | 'perceptualHash' | 'variants'>;

/** What the steps leave for each other, in the order in which they do. */
export interface PictureState {
  readonly facts: Slot<PictureFacts>;
  readonly wayToSrgb: Slot<WayToSrgb>;
  /** What every variant says of the picture; undefined where they say nothing. */
  readonly kept: Slot<KeptExif | undefined>;
  readonly plan: Slot<PicturePlan>;
  readonly costly: Slot<CostlyFacts>;
  readonly costs: Slot<PictureCosts>;
  readonly decoded: Slot<Pixels>;
  /** On their way into storage, largest first. */
  readonly publishing: Slot<readonly Promise<Variant>[]>;
  readonly variants: Slot<Variant[]>;
  /** The smallest that was needed for a variant, and is large enough for the preview. */
  readonly smallest: Slot<Pixels>;
  /** RGBA, longer side 64 pixels at most. */
  readonly preview: Slot<Pixels>;
  readonly thumbhash: Slot<string>;
  readonly perceptualHash: Slot<string>;
  readonly dominantColour: Slot<string>;
}

/** Empty slots for one attempt. */
export function createPictureState(): PictureState {
  return {
    facts: createSlot('facts'),
    wayToSrgb: createSlot('wayToSrgb'),
    kept: createSlot('kept'),
    plan: createSlot('plan'),
    costly: createSlot('costly'),
    costs: createSlot('costs'),
    decoded: createSlot('decoded'),
    publishing: createSlot('publishing'),
    variants: createSlot('variants'),
    smallest: createSlot('smallest'),
    preview: createSlot('preview'),
    thumbhash: createSlot('thumbhash'),
    perceptualHash: createSlot('perceptualHash'),
    dominantColour: createSlot('dominantColour'),
  };
}
