import type { z } from 'zod';
import type { Kind } from './kind.ts';
import { DEFAULT_PICTURE_OPTIONS, pictureOptionsSchema, type PictureOptions } from './picture-options.ts';

/** Media types of accepted pictures that libvips reads. */
export const PICTURE_TYPES: readonly string[] = [
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/avif',
  'image/gif',
  'image/tiff',
];

/** Media types of pictures that libheif decodes, because libvips may not be shipped with a decoder for them. */
export const HEIC_TYPES: readonly string[] = ['image/heic', 'image/heif'];

const TO_JPEG = 'Save it as JPEG: cameras have a setting for it, and most programs can export it.';

/** The type of raw pictures of cameras whose format is not known more exactly. */
export const RAW_TYPE = 'image/x-raw';

const RAW_ADVICE = 'It is a raw picture of a camera. Export it as JPEG in the program of the camera or a photo editor.';

const TO_JPEG_OR_PNG = 'Save it as JPEG or PNG.';

/** Pictures in formats that are recognized but not read. */
const OTHER_PICTURES =
  'bmp bpg flif icns j2c jls jp2 jpm jpx jxl ktx vnd.adobe.photoshop vnd.dwg vnd.ms-photo x-icon x-xcf'.split(' ');

const MOVING = 'It has only moving pictures. Save one of them as JPEG, or the whole as GIF or WebP.';

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
  'image/avif-sequence': MOVING,
  'image/heic-sequence': MOVING,
  'image/heif-sequence': MOVING,
  'image/mj2': MOVING,
  ...Object.fromEntries(OTHER_PICTURES.map((name) => [`image/${name}`, TO_JPEG_OR_PNG])),
  'application/eps': 'Export it as PNG.',
  'application/pdf': 'If you need its pages as pictures, export them as JPEG or PNG.',
  'video/quicktime': 'If it belongs to a Live Photo, send the picture beside it.',
  'image/x-iphone-png':
    'It is a PNG that Xcode has changed for iPhone apps. Send the PNG from before that, or change it back on a Mac: ' +
    'xcrun -sdk iphoneos pngcrush -revert-iphone-optimizations in.png out.png',
  'image/svg+xml': 'It is a drawing, which may contain scripts. Export it as PNG.',
};

interface PictureKindSettings {
  /** Values of options that a sender leaves out. Default `DEFAULT_PICTURE_OPTIONS`. */
  readonly defaults?: PictureOptions;
  /**
   * The limit for all variants. Only the intake passes it. The worker accepts all options that the intake has accepted.
   * Default: no limit.
   */
  readonly maxOutputPixels?: number | undefined;
  /** Default true. */
  readonly acceptsHeic?: boolean;
}

/** The kind of pictures. Its schema also parses options that the intake has accepted. */
export interface PictureKind extends Kind<PictureOptions> {
  readonly options: z.ZodType<PictureOptions>;
}

/** Makes the kind of still and animated raster pictures that libvips reads safely, and of HEIC. */
export function pictureKind({
  defaults = DEFAULT_PICTURE_OPTIONS,
  maxOutputPixels,
  acceptsHeic = true,
}: PictureKindSettings = {}): PictureKind {
  return {
    name: 'picture',
    types: acceptsHeic ? [...PICTURE_TYPES, ...HEIC_TYPES] : PICTURE_TYPES,
    options: pictureOptionsSchema(defaults, maxOutputPixels),
    variantNames: ({ variants }) => variants.map(({ name }) => name),
    hasPlaceholders: true,
    advice: ADVICE,
  };
}
