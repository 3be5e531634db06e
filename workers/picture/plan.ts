import type { VariantSpec } from '../../src/kinds/picture-options.ts';
import { PREVIEW_LONGEST_SIDE } from './limits.ts';
import { areaOf, fitWithin, scaledTo, type Size } from './size.ts';

/** What a plan must know of a picture: its size as a person sees it, and whether it moves. */
export interface PictureShape extends Size {
  readonly isAnimated: boolean;
}

/** One variant to make. */
export interface PlannedVariant {
  readonly spec: VariantSpec;
  /** The whole picture as it goes into the box: what juts out is cut off, what is missing is margin. */
  readonly whole: Size;
  readonly size: Size;
  /** Has all frames, not the first alone. */
  readonly isAnimated: boolean;
}

/** What is made of a picture, all that stands still from one decode. */
export interface PicturePlan {
  /** No smaller than anything that is made of it. */
  readonly decoded: Size;
  /** By the size of the whole, largest first: each can be made from the one before it. */
  readonly variants: readonly PlannedVariant[];
  /** The smallest of those that stand still. */
  readonly lastStill: PlannedVariant | undefined;
}

/** Nothing is enlarged. */
export function planPicture(picture: PictureShape, specs: readonly VariantSpec[]): PicturePlan {
  const variants = specs
    .map((spec) => planVariant(picture, spec))
    .toSorted((one, other) => areaOf(other.whole) - areaOf(one.whole));
  const still = variants.filter(({ isAnimated }) => !isAnimated);
  const sizes = [fitWithin(picture, PREVIEW_LONGEST_SIDE), ...still.map(({ whole }) => whole)];
  const decoded = sizes.reduce((largest, size) => (areaOf(size) > areaOf(largest) ? size : largest));
  return { decoded, variants, lastStill: still.at(-1) };
}

function planVariant(picture: PictureShape, spec: VariantSpec): PlannedVariant {
  const { longestSide = Infinity, width = longestSide, height = longestSide, fit = 'inside' } = spec;
  const toWidth = width / picture.width;
  const toHeight = height / picture.height;
  const whole = scaledTo(picture, fit === 'cover' ? Math.max(toWidth, toHeight) : Math.min(toWidth, toHeight));
  const sizes = { inside: whole, contain: { width, height }, cover: largestOfShape({ width, height }, whole) };
  return { spec, whole, size: sizes[fit], isAnimated: picture.isAnimated && spec.format === 'webp' };
}

/** The box itself, or one of its shape where the picture does not fill it. */
function largestOfShape(box: Size, whole: Size): Size {
  return scaledTo(box, Math.min(whole.width / box.width, whole.height / box.height));
}
