import { z } from 'zod';
import type { Kind } from './kind.ts';

/** One picture to make: `longestSide` in pixels; a smaller original is never enlarged. */
export interface VariantSpec {
  name: string;
  longestSide: number;
  format: 'webp' | 'jpeg';
}

/** The default set, largest first: each is made from the one before it. */
export const PICTURE_VARIANTS: readonly VariantSpec[] = [
  { name: '1600', longestSide: 1600, format: 'webp' },
  { name: '640', longestSide: 640, format: 'webp' },
  { name: '160', longestSide: 160, format: 'jpeg' },
];

/** Pictures take no options yet; an unknown one is refused, so that a later meaning breaks nobody. */
const pictureOptions = z.strictObject({});

/** Options of one picture, defaults filled in. */
export type PictureOptions = z.infer<typeof pictureOptions>;

/** Still and animated raster pictures that libvips reads safely. */
export const picture: Kind<PictureOptions> = {
  name: 'picture',
  types: ['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'image/gif', 'image/tiff'],
  options: pictureOptions,
  variantNames: () => PICTURE_VARIANTS.map((spec) => spec.name),
};
