import { z } from 'zod';
import { bytes, path, warning } from './base-schemas.ts';

/** A time of a camera's clock, which has no time zone unless the file names one. */
const CAMERA_CLOCK = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)?$/;

const pixels = z.int().min(1).describe('Pixels.');

/** A variant as results list it. The storage keeps more members, which are internal. */
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
    'A picture made from the uploaded one. It contains no GPS position, and other EXIF data only if ' +
      '`keepMetadata` is true.',
  );

/** The exposure of a photo. All numbers must be positive. */
export const exposureSchema = z
  .strictObject({
    timeMs: z.number().positive().nullable(),
    fNumber: z.number().positive().nullable(),
    iso: z.number().positive().nullable(),
    focalLengthMm: z
      .number()
      .positive()
      .nullable()
      .describe('Focal length of the lens itself, not its 35 mm equivalent.'),
  })
  .describe('The exposure of a photo. A member is null if the file does not contain it.');

/** A position on Earth. Rejects latitudes and longitudes out of range. */
export const positionSchema = z
  .strictObject({
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    altitudeM: z.number().nullable(),
  })
  .describe(
    'Where the photo was taken: degrees of WGS 84, negative in the south and west; metres above sea level, ' +
      'null if unknown.',
  );

/** A warning or fault in a result. Codes that are added later are accepted. */
export const pictureWarningSchema = warning.describe(
  'Something of the file that is in no variant, or that could not be read.',
);

/** The result of the kind `picture`. */
export const pictureResultSchema = z
  .strictObject({
    kind: z.literal('picture'),
    format: z.string().min(1),
    width: pixels.describe('Pixels, after the EXIF orientation is applied.'),
    height: pixels.describe('Pixels, after the EXIF orientation is applied.'),
    frames: z.int().min(1).describe('1 for a still picture.'),
    hasAlpha: z.boolean(),
    colourSpace: z.string().min(1),
    orientation: z.int().min(1).max(8).describe('The EXIF orientation of the file, 1 to 8; 1 if the file has none.'),
    takenAt: z
      .string()
      .regex(CAMERA_CLOCK)
      .nullable()
      .describe(
        'Local time of the camera (ISO 8601), with an offset if the file has one; null if the file has no time.',
      ),
    camera: z
      .string()
      .min(1)
      .nullable()
      .describe('Make and model in one line; null if the file does not contain them.'),
    lens: z.string().min(1).nullable().describe('Make and model in one line; null if the file does not contain them.'),
    exposure: exposureSchema.nullable().describe('Null if the file contains none.'),
    gps: positionSchema
      .nullable()
      .describe('Present only if the option `gps` is true; null if the file contains no position.')
      .exactOptional(),
    dominantColour: z
      .string()
      .regex(/^#[0-9a-f]{6}$/)
      .describe('`#rrggbb`.'),
    thumbhash: z
      .base64()
      .describe(
        'A [thumbhash](https://evanw.github.io/thumbhash/) in base64: about 25 bytes, to show a preview until a ' +
          'variant is loaded.',
      ),
    perceptualHash: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .describe(
        '64 bits in hex. If at most about 10 bits differ, two pictures are copies of each other, perhaps resized ' +
          'or encoded again.',
      ),
    warnings: z
      .array(pictureWarningSchema)
      .describe('Missing if a worker of an earlier version read the picture.')
      .exactOptional(),
    variants: z.array(variantSchema).describe('The largest first.'),
  })
  .describe('The result of a picture.');
