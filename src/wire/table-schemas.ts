import { z } from 'zod';
import { bytes, count, path } from './base-schemas.ts';

/** Refuses types that no column has. */
export const tableColumnSchema = z
  .strictObject({
    name: z.string().min(1).describe('Unique within the table: of the header, or `column_1` and so on.'),
    type: z
      .enum(['string', 'integer', 'number', 'boolean', 'date', 'datetime', 'time', 'duration', 'empty'])
      .describe(
        'What all its values can be read as. Numbers are those of JSON, with 15 digits at most where they are whole; dates, times and durations (`PT36H`) those of ISO 8601; `empty`: it has no value.',
      ),
    nullCount: count.describe('Rows in which it is empty.'),
  })
  .describe('One column of a table, told from all its rows.');

/** Takes codes to come. */
export const rowErrorSchema = z
  .strictObject({
    line: z.int().min(1).describe('Line of a text, row of a sheet; 1 is the first.'),
    code: z.string().min(1).describe('`stray_quote`, `too_few_cells` or `too_many_cells`. Words may be added.'),
    message: z.string().min(1),
  })
  .describe('A row that was left out.');

/** Takes codes to come. */
export const tableWarningSchema = z
  .strictObject({ code: z.string().min(1).describe('Words may be added.'), message: z.string().min(1) })
  .describe('What was left out of a table, or was guessed.');

/** Of the kind `table`. */
export const tableResultSchema = z
  .strictObject({
    kind: z.literal('table'),
    format: z.enum(['csv', 'tsv', 'xlsx']),
    encoding: z
      .string()
      .min(1)
      .nullable()
      .describe('A name of the Encoding Standard, such as `utf-8`; null for a workbook.'),
    encodingCertainty: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .describe(
        '1 if the encoding is marked, given or proved by all bytes; less if it was guessed. Null for a workbook.',
      ),
    delimiter: z.string().length(1).nullable().describe('Null for a workbook.'),
    sheet: z.string().nullable().describe('Name of the sheet; null for a text.'),
    hasHeader: z.boolean(),
    columns: z.array(tableColumnSchema).min(1),
    rowCount: count.describe('Rows that were taken, without the header.'),
    firstRows: z
      .array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])))
      .describe('At most 20; long texts are cut.'),
    errors: z.array(rowErrorSchema).describe('The first 100 of `errorCount`.'),
    errorCount: count.describe('Rows that were left out.'),
    rowsSkipped: count.describe('Rows that are not in `jsonLines`: faulty ones, and those above the header.'),
    warnings: z.array(tableWarningSchema),
    jsonLines: z.strictObject({ size: bytes, url: path }).describe('All rows, one JSON object a line, for download.'),
  })
  .describe('What a processed table turned out to be.');
