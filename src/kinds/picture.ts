import type { Kind } from './kind.ts';
import { DEFAULT_PICTURE_OPTIONS, pictureOptionsSchema, type PictureOptions } from './picture-options.ts';

/** Media types of accepted pictures. */
export const PICTURE_TYPES = [
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/avif',
  'image/gif',
  'image/tiff',
] as const;

const TO_JPEG = 'Save it as JPEG: cameras have a setting for it, and most programs can export it.';

/** The type of raw pictures of cameras whose format is not known more exactly. */
export const RAW_TYPE = 'image/x-raw';

const RAW_ADVICE = 'It is a raw picture of a camera. Export it as JPEG in the program of the camera or a photo editor.';

/** Advice to senders of picture files that are not accepted. */
const ADVICE: Readonly<Record<string, string>> = {
  'image/heic': TO_JPEG,
  'image/heif': TO_JPEG,
  ...Object.fromEntries(
    ['adobe-dng', 'canon-cr2', 'canon-cr3', 'fujifilm-raf', 'nikon-nef', 'olympus-orf', 'panasonic-rw2', 'sony-arw']
      .map((name) => `image/x-${name}`)
      .concat(RAW_TYPE)
      .map((type) => [type, RAW_ADVICE]),
  ),
  'image/avif-sequence': 'It has only moving pictures. Save one of them as JPEG, or the whole as GIF or WebP.',
  'image/svg+xml': 'It is a drawing, which may contain scripts. Export it as PNG.',
};

/**
 * Still and animated raster pictures that libvips reads safely. `defaults` apply to options that a sender leaves out.
 * Only the intake passes `maxOutputPixels`; the worker accepts all options that the intake has accepted.
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
