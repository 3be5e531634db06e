import type { VariantSpec } from '../../src/kinds/picture-options.ts';
import { PREVIEW_LONGEST_SIDE } from './limits.ts';
import { areaOf, fitWithin, scaledTo, type Size } from './size.ts';

/** The facts that a plan needs: the size after orientation, and whether the picture is animated. */
interface PictureShape extends Size {
  readonly isAnimated: boolean;
}

/** One variant to produce. */
export interface PlannedVariant {
  readonly spec: VariantSpec;
  /** The size to which the whole picture is scaled. Edges beyond `size` are cut off; gaps become margins. */
  readonly whole: Size;
  readonly size: Size;
  /** True if the variant has all frames, false if it has only the first. */
  readonly isAnimated: boolean;
}

/** The variants of a picture. All still ones come from one decode. */
export interface PicturePlan {
  /** The size at which the picture is decoded: at least that of every still variant. */
  readonly decoded: Size;
  /** Sorted by `whole`, largest first, so that each still variant can be made from the previous one. */
  readonly variants: readonly PlannedVariant[];
  /** The smallest still variant. */
  readonly lastStill: PlannedVariant | undefined;
}

/** Plans the variants. No variant is larger than the picture. */
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

/** Returns the box, or a smaller box of the same shape if the picture does not fill it. */
function largestOfShape(box: Size, whole: Size): Size {
  return scaledTo(box, Math.min(whole.width / box.width, whole.height / box.height));
}
