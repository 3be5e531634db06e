import { z } from 'zod';
import { bytes, path } from './base-schemas.ts';

/** The clock of a camera has no time zone unless the file names one. */
const CAMERA_CLOCK = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)?$/;

const pixels = z.int().min(1).describe('Pixels.');

/** As a result lists it; what storage knows of a variant is more, and stays inside. */
export const variantSchema = z
  .strictObject({
    name: z.string().min(1),
    format: z.string().min(1),
    width: pixels,
    height: pixels,
    size: bytes,
    url: path,
  })
  .describe(
    'A picture made of the uploaded one. It carries no GPS position, and no other EXIF but what `keepMetadata` asked for.',
  );

/** Refuses numbers that make no sense. */
export const exposureSchema = z
  .strictObject({
    timeMs: z.number().positive().nullable(),
    fNumber: z.number().positive().nullable(),
    iso: z.number().positive().nullable(),
    focalLengthMm: z.number().positive().nullable().describe('Of the lens itself, not of its like on 35 mm film.'),
  })
  .describe('How a picture was exposed; each member null where the file does not say.');

/** Refuses what is on no globe. */
export const positionSchema = z
  .strictObject({
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    altitudeM: z.number().nullable(),
  })
  .describe('In degrees of WGS 84, south and west negative; metres above the sea, null where the file does not say.');

/** Of the kind `picture`. */
export const pictureResultSchema = z
  .strictObject({
    kind: z.literal('picture'),
    format: z.string().min(1),
    width: pixels.describe('Pixels as a person sees it, after the EXIF orientation.'),
    height: pixels.describe('Pixels as a person sees it, after the EXIF orientation.'),
    frames: z.int().min(1).describe('1 for a still picture.'),
    hasAlpha: z.boolean(),
    colourSpace: z.string().min(1),
    orientation: z.int().min(1).max(8).describe('The EXIF orientation as found; 1 where the file has none.'),
    takenAt: z
      .string()
      .regex(CAMERA_CLOCK)
      .nullable()
      .describe("The camera's own clock, with an offset where the file has one; null where it says nothing."),
    camera: z.string().min(1).nullable().describe('Make and model as one line; null where the file says nothing.'),
    lens: z.string().min(1).nullable().describe('Make and model as one line; null where the file says nothing.'),
    exposure: exposureSchema.nullable().describe('Null where the file says nothing.'),
    gps: positionSchema
      .nullable()
      .describe('There only where the options asked for it; null where the file says nothing.')
      .exactOptional(),
    dominantColour: z.string().regex(/^#[0-9a-f]{6}$/),
    thumbhash: z
      .base64()
      .describe('A [thumbhash](https://evanw.github.io/thumbhash/): about 25 bytes to show until a variant has come.'),
    perceptualHash: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .describe(
        '64 bits in hex. If at most about 10 bits differ, two pictures are copies of each other, perhaps resized or encoded again.',
      ),
    variants: z.array(variantSchema).describe('Largest first.'),
  })
  .describe('What a processed picture turned out to be.');
