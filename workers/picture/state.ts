import type { PictureResult, PictureWarning, Variant } from '../../src/wire/documents.ts';
import { setOnce, type SetOnce } from '../set-once.ts';
import type { ContainerFacts } from './container-facts.ts';
import type { CostlyFacts, PictureCosts } from './costs.ts';
import type { WayToSrgb } from './icc-profile.ts';
import type { KeptChannels } from './kept-channels.ts';
import type { KeptExif } from './kept-exif.ts';
import type { Pixels } from './libvips.ts';
import type { PicturePlan } from './plan.ts';
import type { PictureInput } from './readable-input.ts';

/** The facts from the header of a picture. */
export type PictureFacts = Omit<
  PictureResult,
  'kind' | 'dominantColour' | 'thumbhash' | 'perceptualHash' | 'warnings' | 'variants'
>;

/** The values that steps pass to later steps, in the order in which they are set. */
export interface PictureState {
  readonly input: SetOnce<PictureInput>;
  readonly facts: SetOnce<PictureFacts>;
  /** The warnings of the result. Steps add to them. */
  readonly warnings: PictureWarning[];
  readonly wayToSrgb: SetOnce<WayToSrgb>;
  readonly container: SetOnce<ContainerFacts>;
  readonly keptChannels: SetOnce<KeptChannels | undefined>;
  /** The EXIF tags of every variant, or undefined for none. */
  readonly kept: SetOnce<KeptExif | undefined>;
  readonly plan: SetOnce<PicturePlan>;
  readonly costly: SetOnce<CostlyFacts>;
  readonly costs: SetOnce<PictureCosts>;
  readonly decoded: SetOnce<Pixels>;
  /** Variants that are being stored, largest first. */
  readonly publishing: SetOnce<readonly Promise<Variant>[]>;
  readonly variants: SetOnce<Variant[]>;
  /** The smallest of the pictures that were made for variants and are still large enough for the preview. */
  readonly smallest: SetOnce<Pixels>;
  /** A preview in RGBA with a longer side of at most 64 pixels. */
  readonly preview: SetOnce<Pixels>;
  readonly thumbhash: SetOnce<string>;
  readonly perceptualHash: SetOnce<string>;
  readonly dominantColour: SetOnce<string>;
}

/** Creates the empty state of one attempt. */
export function createPictureState(): PictureState {
  return {
    input: setOnce('input'),
    facts: setOnce('facts'),
    warnings: [],
    wayToSrgb: setOnce('wayToSrgb'),
    container: setOnce('container'),
    keptChannels: setOnce('keptChannels'),
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
