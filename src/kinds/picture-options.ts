import { z } from 'zod';
import { leastWeighedPixels, tooManyPixels } from './picture-budget.ts';

/** File formats of variants. */
export const PICTURE_FORMATS = ['webp', 'jpeg', 'avif', 'png'] as const;

/** One of `PICTURE_FORMATS`. Its media type is `image/` and this word. */
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

/** How a picture fits into a box: whole inside it, cut to fill it, or whole with margins. */
const PICTURE_FITS = ['inside', 'cover', 'contain'] as const;

/** One of `PICTURE_FITS`. */
export type PictureFit = (typeof PICTURE_FITS)[number];

/**
 * One picture to make. It is never enlarged. Its size in pixels is `longestSide`, or `width` or `height` or both.
 * `fit` needs both and is `inside` by default. `quality` is 1 to 100, and undefined only for PNG.
 */
export interface VariantSpec {
  name: string;
  longestSide?: number;
  width?: number;
  height?: number;
  fit?: PictureFit;
  format: PictureFormat;
  quality?: number;
}

/** Options for one picture. */
export interface PictureOptions {
  variants: VariantSpec[];
  /** True: variants contain date, camera, lens, exposure, author and copyright, but never a position. */
  keepMetadata: boolean;
  /** True: the result contains the position where the picture was taken. */
  gps: boolean;
}

/** Longest side of a variant. AVIF and WebP allow a little more, but screens are smaller. */
const MAX_SIDE = 8192;

const MAX_VARIANTS = 16;

/** Qualities at which these formats look about the same. */
const QUALITIES: Readonly<Record<PictureFormat, number | undefined>> = { webp: 80, jpeg: 80, avif: 55, png: undefined };

const SIDE = `must be a whole number of pixels from 1 to ${MAX_SIDE}`;
const NAME =
  'must be 1 to 64 letters, digits, - and _, beginning with a letter or digit, because it becomes a part of a URL';
const QUALITY = 'must be a whole number from 1 to 100';

const side = z.int({ error: SIDE, abort: true }).min(1, SIDE).max(MAX_SIDE, SIDE);

const variant = z
  .strictObject(
    {
      name: z
        .string(NAME)
        .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, NAME)
        .describe('The last part of its URL, `/variants/{publicId}/{name}`.'),
      longestSide: side.describe('Pixels of the longer side. Use it instead of a box.').exactOptional(),
      width: side.describe('Width of the box in pixels, with or without `height`.').exactOptional(),
      height: side.describe('Height of the box in pixels, with or without `width`.').exactOptional(),
      fit: z
        .enum(PICTURE_FITS, oneOf(PICTURE_FITS))
        .describe(
          '`inside` (the default): the whole picture, as large as the box allows. `cover`: the picture fills the ' +
            'box and is cut at the edges. `contain`: the whole picture with margins that fill the box, transparent ' +
            'or, in JPEG, white.',
        )
        .exactOptional(),
      format: z.enum(PICTURE_FORMATS, oneOf(PICTURE_FORMATS)).default('webp'),
      quality: z
        .int({ error: QUALITY, abort: true })
        .min(1, QUALITY)
        .max(100, QUALITY)
        .describe('Default 80 for WebP and JPEG, 55 for AVIF. PNG is lossless and has no quality.')
        .exactOptional(),
    },
    { error: knownMembers('name, longestSide, width, height, fit, format and quality') },
  )
  .superRefine((spec, context) => {
    const mistake = contradiction(spec);
    if (mistake !== undefined) context.addIssue({ code: 'custom', message: mistake });
  })
  .transform((spec): VariantSpec => {
    const quality = spec.quality ?? QUALITIES[spec.format];
    return quality === undefined ? spec : { ...spec, quality };
  });

const variants = z
  .array(variant, 'must be a list')
  .max(MAX_VARIANTS, `may have at most ${MAX_VARIANTS} entries; remove some, or send the file twice`)
  .superRefine((specs, context) => {
    for (const [index, { name }] of specs.entries()) {
      const first = specs.findIndex((other) => sameFile(other.name, name));
      if (first < index)
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message:
            `is also the name of variants[${first}]; ` + 'use different names, upper and lower case count as the same',
        });
    }
  });

/** Options that apply if neither the sender nor the settings give others. */
export const DEFAULT_PICTURE_OPTIONS: PictureOptions = {
  variants: [
    { name: '1600', longestSide: 1600, format: 'webp', quality: 80 },
    { name: '640', longestSide: 640, format: 'webp', quality: 80 },
    { name: '160', longestSide: 160, format: 'jpeg', quality: 80 },
  ],
  keepMetadata: false,
  gps: false,
};

/**
 * Parses the options of a sender. Members that are missing come from `defaults`. Options that need more than
 * `maxOutputPixels` for every picture are rejected. Parsed options can be parsed again. The message of an issue
 * continues a sentence that begins with the path, and says what to do.
 */
export function pictureOptionsSchema(
  defaults: PictureOptions = DEFAULT_PICTURE_OPTIONS,
  maxOutputPixels = Number.POSITIVE_INFINITY,
) {
  return z.strictObject(
    {
      variants: variants
        .superRefine((specs, context) => {
          const least = leastWeighedPixels(specs);
          if (least > maxOutputPixels)
            context.addIssue({
              code: 'custom',
              message: `are too many pixels. ${tooManyPixels(least, maxOutputPixels)}`,
            });
        })
        .default(() => structuredClone(defaults.variants))
        .describe(
          'The pictures to make, at most 16, with different names. An empty list makes none; the result then only ' +
            'describes the picture.',
        ),
      keepMetadata: z
        .boolean('must be true or false')
        .default(defaults.keepMetadata)
        .describe('Writes date, camera, lens, exposure, author and copyright into the variants, but never a position.'),
      gps: z
        .boolean('must be true or false')
        .default(defaults.gps)
        .describe(
          'The result contains the position where the picture was taken. Anyone who knows the id of the upload can ' +
            'read it.',
        ),
    },
    { error: knownMembers('variants, keepMetadata and gps') },
  ) satisfies z.ZodType<PictureOptions>;
}

function oneOf(words: readonly string[]): string {
  return `must be one of ${words.join(', ')}`;
}

function knownMembers(names: string) {
  return (issue: { code: string; keys?: readonly string[] }) =>
    issue.code === 'unrecognized_keys'
      ? `has an unknown member${wordIn(issue.keys)}; allowed are ${names}`
      : `must be an object with ${names}`;
}

/** Quotes the first key if it is a short word. Other keys may be very long or contain anything. */
function wordIn(keys: readonly string[] = []): string {
  const [word = ''] = keys;
  return /^\w{1,40}$/.test(word) ? ` "${word}"` : '';
}

function contradiction({ longestSide, width, height, fit, format, quality }: VariantSpec): string | undefined {
  const hasBox = width !== undefined || height !== undefined;
  if (longestSide === undefined && !hasBox) return 'has no size; set longestSide, or width and height';
  if (longestSide !== undefined && hasBox) return 'has both longestSide and a box; remove one of them';
  if (fit !== undefined && (width === undefined || height === undefined))
    return 'has a fit, which needs both width and height';
  if (format === 'png' && quality !== undefined)
    return 'has a quality, which PNG does not support; remove it, or choose another format';
  return undefined;
}

/** True if two names are the same file on some file system, because some ignore case. */
function sameFile(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
