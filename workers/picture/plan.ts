import type { VariantSpec } from '../../src/kinds/picture-options.ts';
import { PREVIEW_LONGEST_SIDE } from './limits.ts';
import { areaOf, fitWithin, scaledTo, type Size } from './size.ts';

/** One variant to make. */
export interface PlannedVariant {
  readonly spec: VariantSpec;
  /** The whole picture as it goes into the box: what juts out is cut off, what is missing is margin. */
  readonly whole: Size;
  readonly size: Size;
}

/** What is made of a picture, from one decode. */
export interface PicturePlan {
  /** No smaller than anything that is made of it. */
  readonly decoded: Size;
  /** By the size of the whole, largest first: each can be made from the one before it. */
  readonly variants: readonly PlannedVariant[];
}

/** For a picture of that size, as a person sees it. Nothing is enlarged. */
export function planPicture(picture: Size, specs: readonly VariantSpec[]): PicturePlan {
  const variants = specs.map((spec) => planVariant(picture, spec)).toSorted((one, other) => areaOf(other.whole) - areaOf(one.whole));
  const sizes = [fitWithin(picture, PREVIEW_LONGEST_SIDE), ...variants.map(({ whole }) => whole)];
  return { decoded: sizes.reduce((largest, size) => (areaOf(size) > areaOf(largest) ? size : largest)), variants };
}

function planVariant(picture: Size, spec: VariantSpec): PlannedVariant {
  const { longestSide = Infinity, width = longestSide, height = longestSide, fit = 'inside' } = spec;
  const toWidth = width / picture.width;
  const toHeight = height / picture.height;
  if (fit === 'cover') {
    const whole = scaledTo(picture, Math.max(toWidth, toHeight));
    return { spec, whole, size: largestOfShape({ width, height }, whole) };
  }
  const whole = scaledTo(picture, Math.min(toWidth, toHeight));
  return { spec, whole, size: fit === 'contain' ? { width, height } : whole };
}

/** The box itself, or one of its shape where the picture does not fill it. */
function largestOfShape(box: Size, whole: Size): Size {
  return scaledTo(box, Math.min(whole.width / box.width, whole.height / box.height));
}
