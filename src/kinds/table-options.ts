import { z } from 'zod';

const MOST_ERRORS = 1_000_000;
const DEFAULT_MAX_ERRORS = 1000;

/** Punctuation of ASCII, the space and the tab; a quote and a line end have other work to do. */
const DELIMITER = /^[\t !#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]$/;

/** What a sender may say of a table. */
export const tableOptionsSchema = z.strictObject({
  delimiter: z
    .string()
    .regex(DELIMITER, 'must be one character: a tab, a space or a sign other than the quote')
    .describe(
      'What separates the cells of a text. Who gives it says that the text is a table, so that one with a single column is taken too.',
    )
    .optional(),
  encoding: z
    .string()
    .max(40)
    .refine(isEncoding, 'must be a name of the Encoding Standard, such as gb18030, shift_jis or windows-1251')
    .describe(
      'How the characters of a text lie in its bytes. A byte order mark wins. Guessed if it is left out and the text is not UTF-8.',
    )
    .optional(),
  header: z.boolean().describe('Whether the first row holds the names of the columns.').optional(),
  sheet: z
    .union([z.string().min(1).max(255), z.int().min(1)], 'must be the name of a sheet or its number, from 1 on')
    .describe('Which sheet of a workbook, by its name or its number; the first where it is left out.')
    .optional(),
  maxErrors: z
    .int()
    .min(0)
    .max(MOST_ERRORS)
    .default(DEFAULT_MAX_ERRORS)
    .describe('With more faulty rows than these the table is given up.'),
});

function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== '';
  } catch {
    return false;
  }
}

/** Options of one table; what is left out is told from the table, and `sheet` is the first. */
export type TableOptions = z.infer<typeof tableOptionsSchema>;
