import { z } from 'zod';

const MOST_ERRORS = 1_000_000;
const DEFAULT_MAX_ERRORS = 1000;

/** ASCII punctuation, space and tab. Quotes and line ends have other meanings in a table. */
const DELIMITER = /^[\t !#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]$/;

/** Options of a sender for a table. */
export const tableOptionsSchema = z.strictObject({
  delimiter: z
    .string()
    .regex(DELIMITER, 'must be one character: a tab, a space or a sign other than the quote')
    .describe(
      'The character between the cells of a text. With this option every text is accepted as a table, also one ' +
        'with a single column.',
    )
    .optional(),
  encoding: z
    .string()
    .max(40)
    .refine(isEncoding, 'must be a name of the Encoding Standard, such as gb18030, shift_jis or windows-1251')
    .describe(
      'Character encoding of a text. A byte order mark wins. If it is left out and the text is not UTF-8, the ' +
        'encoding is guessed.',
    )
    .optional(),
  header: z.boolean().describe('True if the first row contains the names of the columns.').optional(),
  sheet: z
    .union([z.string().min(1).max(255), z.int().min(1)], 'must be the name of a sheet or its number, from 1 on')
    .describe('Sheet of a workbook, by its name or its number. Default: the first.')
    .optional(),
  maxErrors: z
    .int()
    .min(0)
    .max(MOST_ERRORS)
    .default(DEFAULT_MAX_ERRORS)
    .describe('If the table has more faulty rows than this, it is rejected.'),
});

function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== '';
  } catch {
    return false;
  }
}

/** Options of one table. Missing members are determined from the table; the default sheet is the first. */
export type TableOptions = z.infer<typeof tableOptionsSchema>;
