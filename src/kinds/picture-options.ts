import { z } from 'zod';
import { leastWeighedPixels, tooManyPixels } from './picture-budget.ts';

/** What a variant can be written as. */
export const PICTURE_FORMATS = ['webp', 'jpeg', 'avif', 'png'] as const;

/** A word of `PICTURE_FORMATS`; `image/` before it makes the media type. */
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

/** How a picture comes into a box: whole and as large as fits, cut to fill it, or whole with margins. */
export const PICTURE_FITS = ['inside', 'cover', 'contain'] as const;

/** A word of `PICTURE_FITS`. */
export type PictureFit = (typeof PICTURE_FITS)[number];

/**
 * One picture to make, never enlarged. Either `longestSide`, or `width` and `height` or one of them, all in pixels;
 * `fit` is there with both alone, and `inside` where it is not. `quality` is 1 to 100, and undefined for PNG alone.
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

/** What is made of one picture. */
export interface PictureOptions {
  variants: VariantSpec[];
  /** Date, camera, lens, exposure, author and copyright are written into the variants; a position never is. */
  keepMetadata: boolean;
  /** The result tells where the picture was taken. */
  gps: boolean;
}

/** AVIF and WebP go a little further, screens do not. */
const MAX_SIDE = 8192;

const MAX_VARIANTS = 16;

/** Where these encoders show people about the same. */
const QUALITIES: Readonly<Record<PictureFormat, number | undefined>> = { webp: 80, jpeg: 80, avif: 55, png: undefined };

const SIDE = `must be a whole number of pixels from 1 to ${MAX_SIDE}`;
const NAME =
  'must be 1 to 64 letters, digits, - and _, the first of them a letter or digit, since it becomes a part of an address';
const QUALITY = 'must be a whole number from 1 to 100';

const side = z.int({ error: SIDE, abort: true }).min(1, SIDE).max(MAX_SIDE, SIDE);

const variant = z
  .strictObject(
    {
      name: z
        .string(NAME)
        .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, NAME)
        .describe('The last part of its address, `/variants/{publicId}/{name}`.'),
      longestSide: side.describe('Pixels of the longer side, in place of a box.').exactOptional(),
      width: side.describe('Pixels of the box that it goes into; with `height`, or alone.').exactOptional(),
      height: side.describe('Pixels of the box that it goes into; with `width`, or alone.').exactOptional(),
      fit: z
        .enum(PICTURE_FITS, oneOf(PICTURE_FITS))
        .describe(
          '`inside` (the default): whole, as large as the box allows. `cover`: fills the box, what juts out is cut off. `contain`: whole, with margins up to the box, clear or, in JPEG, white.',
        )
        .exactOptional(),
      format: z.enum(PICTURE_FORMATS, oneOf(PICTURE_FORMATS)).default('webp'),
      quality: z
        .int({ error: QUALITY, abort: true })
        .min(1, QUALITY)
        .max(100, QUALITY)
        .describe('Default 80 for WebP and JPEG, 55 for AVIF. PNG loses nothing and has none.')
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
  .max(MAX_VARIANTS, `there may be at most ${MAX_VARIANTS}; take some out, or send the file twice`)
  .superRefine((specs, context) => {
    for (const [index, { name }] of specs.entries()) {
      const first = specs.findIndex((other) => sameFile(other.name, name));
      if (first < index)
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message: `variants[${first}] has this name; give each one of its own, in whatever case`,
        });
    }
  });

/** What is made where neither sender nor settings say anything. */
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
 * Parses a sender's options, each member that is missing taken from `defaults`. `maxOutputPixels` bounds the variants
 * that are too much for any picture. What it gives back it takes
 * again. The message of an issue follows its path in a sentence, and says what to do.
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
            context.addIssue({ code: 'custom', message: `are too much. ${tooManyPixels(least, maxOutputPixels)}` });
        })
        .default(() => structuredClone(defaults.variants))
        .describe(
          'The pictures to make, at most 16, with different names. An empty list makes none: the result has the facts alone.',
        ),
      keepMetadata: z
        .boolean('must be true or false')
        .default(defaults.keepMetadata)
        .describe(
          'Writes date, camera, lens, exposure, author and copyright into the variants. A position is never written.',
        ),
      gps: z
        .boolean('must be true or false')
        .default(defaults.gps)
        .describe('The result tells the position where the picture was taken, for whoever knows the id of the upload.'),
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
      ? `has an unknown member${wordIn(issue.keys)}; there are ${names}`
      : `must be an object with ${names}`;
}

/** The first, where it is a plain word: a key may be anything, and as long as the whole request. */
function wordIn(keys: readonly string[] = []): string {
  const [word = ''] = keys;
  return /^\w{1,40}$/.test(word) ? ` "${word}"` : '';
}

function contradiction({ longestSide, width, height, fit, format, quality }: VariantSpec): string | undefined {
  const hasBox = width !== undefined || height !== undefined;
  if (longestSide === undefined && !hasBox) return 'has no size; give it longestSide, or width and height';
  if (longestSide !== undefined && hasBox) return 'has both longestSide and a box; take one of them out';
  if (fit !== undefined && (width === undefined || height === undefined))
    return 'has a fit, which needs both width and height';
  if (format === 'png' && quality !== undefined)
    return 'has a quality, which PNG does not know; take it out, or choose another format';
  return undefined;
}

/** Some file systems know no case. */
function sameFile(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
