import { z } from 'zod';
import { bytes, count, path, warning } from './base-schemas.ts';

/** One column. Rejects types that no column has. */
export const tableColumnSchema = z
  .strictObject({
    name: z.string().min(1).describe('Unique within the table: from the header, or `column_1` and so on.'),
    type: z
      .enum(['string', 'integer', 'number', 'boolean', 'date', 'datetime', 'time', 'duration', 'empty'])
      .describe(
        'The type that all values of the column have. Numbers are in the form of JSON, whole ones with at most 15 ' +
          'digits. Dates, times and durations (`PT36H`) are in ISO 8601. `empty`: the column has no values.',
      ),
    nullCount: count.describe('Number of rows in which the column is empty.'),
  })
  .describe('One column of a table, determined from all rows.');

/** A warning or fault in a result. Codes that are added later are accepted. */
export const rowErrorSchema = z
  .strictObject({
    line: z.int().min(1).describe('Line of a text, or row of a sheet; 1 is the first.'),
    code: z.string().min(1).describe('`stray_quote`, `too_few_cells` or `too_many_cells`. Codes may be added.'),
    message: z.string().min(1),
  })
  .describe('A row that was left out.');

/** A warning or fault in a result. Codes that are added later are accepted. */
export const tableWarningSchema = warning.describe('Something that was left out of a table, or that was guessed.');

/** The result of the kind `table`. */
export const tableResultSchema = z
  .strictObject({
    kind: z.literal('table'),
    format: z.enum(['csv', 'tsv', 'xlsx']),
    encoding: z
      .string()
      .min(1)
      .nullable()
      .describe('Name in the Encoding Standard, such as `utf-8`; null for a workbook.'),
    encodingCertainty: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .describe(
        '1 if a byte order mark, the options or all bytes of the file prove the encoding; less if it is a guess. ' +
          'Null for a workbook.',
      ),
    delimiter: z.string().length(1).nullable().describe('Null for a workbook.'),
    sheet: z.string().nullable().describe('Name of the sheet; null for a text.'),
    hasHeader: z.boolean(),
    columns: z.array(tableColumnSchema).min(1),
    rowCount: count.describe('Number of rows in `jsonLines`. The header does not count.'),
    firstRows: z
      .array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])))
      .describe('At most 20 rows. Long texts are shortened.'),
    errors: z.array(rowErrorSchema).describe('The first 100 of `errorCount`.'),
    errorCount: count.describe('Number of faulty rows, which were left out.'),
    rowsSkipped: count.describe('Number of rows that are not in `jsonLines`: faulty rows and rows above the header.'),
    warnings: z.array(tableWarningSchema),
    jsonLines: z.strictObject({ size: bytes, url: path }).describe('File with all rows, one JSON object per line.'),
    csv: z
      .strictObject({ url: path })
      .describe('The same rows as CSV, made on request. Missing if a worker of an earlier version read the table.')
      .exactOptional(),
    xlsx: z.strictObject({ url: path }).describe('The same rows as an XLSX workbook, made on request.').exactOptional(),
  })
  .describe('The result of a table.');
