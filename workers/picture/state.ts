import type { PictureResult, Variant } from '../../src/wire/documents.ts';
import { setOnce, type SetOnce } from '../set-once.ts';
import type { CostlyFacts, PictureCosts } from './costs.ts';
import type { WayToSrgb } from './icc-profile.ts';
import type { KeptExif } from './kept-exif.ts';
import type { Pixels } from './libvips.ts';
import type { PicturePlan } from './plan.ts';

/** What the header tells of a picture. */
export type PictureFacts = Omit<PictureResult, 'kind' | 'dominantColour' | 'thumbhash' | 'perceptualHash' | 'variants'>;

/** What the steps leave for each other, in the order in which they do. */
export interface PictureState {
  readonly facts: SetOnce<PictureFacts>;
  readonly wayToSrgb: SetOnce<WayToSrgb>;
  /** What every variant says of the picture; undefined where they say nothing. */
  readonly kept: SetOnce<KeptExif | undefined>;
  readonly plan: SetOnce<PicturePlan>;
  readonly costly: SetOnce<CostlyFacts>;
  readonly costs: SetOnce<PictureCosts>;
  readonly decoded: SetOnce<Pixels>;
  /** On their way into storage, largest first. */
  readonly publishing: SetOnce<readonly Promise<Variant>[]>;
  readonly variants: SetOnce<Variant[]>;
  /** The smallest that was needed for a variant, and is large enough for the preview. */
  readonly smallest: SetOnce<Pixels>;
  /** RGBA, longer side 64 pixels at most. */
  readonly preview: SetOnce<Pixels>;
  readonly thumbhash: SetOnce<string>;
  readonly perceptualHash: SetOnce<string>;
  readonly dominantColour: SetOnce<string>;
}

/** Empty slots for one attempt. */
export function createPictureState(): PictureState {
  return {
    facts: setOnce('facts'),
    wayToSrgb: setOnce('wayToSrgb'),
    kept: setOnce('kept'),
    plan: setOnce('plan'),
    costly: setOnce('costly'),
    costs: setOnce('costs'),
    decoded: setOnce('decoded'),
    publishing: setOnce('publishing'),
    variants: setOnce('variants'),
    smallest: setOnce('smallest'),
    preview: setOnce('preview'),
    thumbhash: setOnce('thumbhash'),
    perceptualHash: setOnce('perceptualHash'),
    dominantColour: setOnce('dominantColour'),
  };
}
