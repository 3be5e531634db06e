import type { Kind } from './kind.ts';
import { DEFAULT_PICTURE_OPTIONS, pictureOptionsSchema, type PictureOptions } from './picture-options.ts';

/** What sniffing calls the pictures that are taken. */
export const PICTURE_TYPES = [
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/avif',
  'image/gif',
  'image/tiff',
] as const;

const TO_JPEG = 'Save it as JPEG: cameras have a setting for it, and most programs an export.';

/** What senders of files that are often taken for pictures can do. */
const ADVICE: Readonly<Record<string, string>> = {
  'image/heic': TO_JPEG,
  'image/heif': TO_JPEG,
  'image/svg+xml': 'It is a drawing, which may hold programs: export it as PNG.',
};

/**
 * Still and animated raster pictures that libvips reads safely; `defaults` fill in what a sender leaves open.
 * `maxOutputPixels` is for the intake: what it has accepted the worker reads without a bound.
 */
export function pictureKind(
  defaults: PictureOptions = DEFAULT_PICTURE_OPTIONS,
  maxOutputPixels?: number,
): Kind<PictureOptions> {
  return {
    name: 'picture',
    types: PICTURE_TYPES,
    options: pictureOptionsSchema(defaults, maxOutputPixels),
    variantNames: ({ variants }) => variants.map(({ name }) => name),
    hasPlaceholders: true,
    advice: ADVICE,
  };
}
