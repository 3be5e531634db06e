import { integer, list, pictureOptions } from './forms.ts';

const MIB = 1024 * 1024;

/** Limits of the options of a picture. The intake checks them before the picture is stored. */
export const PICTURE_REQUESTS = {
  PICTURE_OPTIONS: pictureOptions.describe(
    'Options for pictures whose sender gives none: JSON as in the field `options` of an upload ' +
      '(docs/pictures.md). Members that are left out keep the defaults shown there.',
  ),
  PICTURE_MAX_OUTPUT_PIXELS: integer(1_000_000_000, 1).describe(
    'Maximum number of pixels of all variants of one picture, with all frames. A pixel of WebP counts 1, of ' +
      'JPEG a quarter, of PNG 2, of AVIF 4.',
  ),
};

/** Limits of the processing of a picture. */
export const PICTURES = {
  PICTURE_MAX_PIXELS: integer(100_000_000, 1).describe(
    'Maximum number of pixels of one picture: width times height. A JPEG may have four times as many if no more ' +
      'than this maximum is decoded of it (docs/pictures.md).',
  ),
  PICTURE_MAX_FRAMES: integer(2000, 1).describe(
    'Maximum number of frames of an animation or pages of a TIFF. All frames together may have four times ' +
      'PICTURE_MAX_PIXELS.',
  ),
  PICTURE_STEP_TIMEOUT_MS: integer(60_000, 100, 3_600_000).describe(
    'Longest time of each step in processing a picture.',
  ),
};

/** Limits of tables. The code reads them as `TableLimits`. */
export const TABLES = {
  TABLE_MAX_LINE_BYTES: integer(MIB, 1024, 64 * MIB).describe(
    'Maximum size in bytes of one record of a table, with all lines that its quotes join.',
  ),
  TABLE_MAX_COLUMNS: integer(2000, 1, 16_384).describe('Maximum number of columns of a table.'),
  TABLE_MAX_UNPACKED_BYTES: integer(1024 * MIB, 1).describe(
    'Maximum size in bytes of the parts of a workbook after unpacking.',
  ),
  TABLE_MAX_OUTPUT_BYTES: integer(2048 * MIB, 1).describe(
    'Maximum size in bytes of the rows of a table as JSON Lines. They may also be at most 20 times the size ' +
      'of the upload, or 64 MiB if that is more.',
  ),
};

/** Processors of others. Module and manifest are read by API and worker processes. */
export const PROCESSORS = {
  PROCESSORS: list
    .prefault('')
    .describe(
      'Processors of other file types, for API and worker processes: modules, packages and manifests of programs, ' +
        'separated by commas, such as ./my-kind.mjs,@acme/pdf,./pdf.json (docs/processors.md).',
    ),
};
