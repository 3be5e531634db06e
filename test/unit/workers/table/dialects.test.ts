import '../../../helpers/one-realm.ts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { acceptFile } from '../../../../src/intake/receive.ts';
import { createKinds } from '../../../../src/kinds/kinds.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { processTable } from '../../../helpers/process-table.ts';

const kinds = createKinds();

interface Dialect {
  delimiter: string;
  lineEnd: string;
  quotes: 'all' | 'needed';
  blank: string;
  title: string[];
  bom: string;
  trailing: boolean;
}

const dialects: fc.Arbitrary<Dialect> = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
  quotes: fc.constantFrom('all', 'needed'),
  blank: fc.constantFrom('', ' '),
  title: fc.constantFrom<string[][]>([], ['Report of 2024'], ['Report', 'made by hand', '']),
  bom: fc.constantFrom('', '\ufeff'),
  trailing: fc.boolean(),
});

const word = fc.stringMatching(/^[A-Za-zéü][a-zéü]{2,8}$/);
const value = fc.oneof(
  word,
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc.constantFrom('1.5', 'true', '2024-02-29', '5" steel', 'a "b" c', 'two words', 'x,y', 'x;y', 'say ""'),
);

function written(cells: readonly string[], { delimiter, quotes, blank, trailing }: Dialect, isRow: boolean): string {
  const parts = cells.map((cell) => {
    const needsQuotes = quotes === 'all' || cell.includes(delimiter) || cell.startsWith('"');
    return needsQuotes ? `"${cell.replaceAll('"', '""')}"` : cell;
  });
  return parts.join(delimiter + blank) + (trailing && isRow ? delimiter : '');
}

const tables = fc
  .integer({ min: 2, max: 6 })
  .chain((columns) =>
    fc.record({
      names: fc.uniqueArray(word, { minLength: columns, maxLength: columns, selector: (name) => name.toLowerCase() }),
      rows: fc.array(fc.array(value, { minLength: columns, maxLength: columns }), { minLength: 4, maxLength: 30 }),
      dialect: dialects,
    }),
  );

describe('table in any dialect', () => {
  test('keeps all of its rows, or is rejected with a reason', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ names, rows, dialect }) => {
        const lines = [
          ...dialect.title,
          written(names, dialect, false),
          ...rows.map((row) => written(row, dialect, true)),
        ];
        const bytes = Buffer.from(dialect.bom + lines.join(dialect.lineEnd) + dialect.lineEnd);
        const options = { delimiter: dialect.delimiter, header: true };
        await acceptFile(kinds, bytes, options);
        const { result } = await processTable(bytes, { options });
        expect([result.rowCount, result.errorCount, result.rowsSkipped]).toEqual([
          rows.length,
          0,
          dialect.title.filter((line) => line !== '').length,
        ]);
        expect(result.columns.map(({ name }) => name)).toEqual(names);
      }),
      { numRuns: 150 },
    );
  });

  test('of random bytes never completes with all rows lost, and never fails with an error of the service', async () => {
    const piece = fc.constantFrom(
      'a',
      '1',
      ',',
      ';',
      '"',
      '\n',
      '\r',
      '\t',
      ' ',
      'é',
      '|',
      '""',
      '",',
      '\n"',
      'sep=',
      '\x1a',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 60 }), async (pieces) => {
        const bytes = Buffer.from(pieces.join(''));
        const outcome = await processTable(bytes, { options: { delimiter: ',' } }).catch((error: unknown) => error);
        if (outcome instanceof UnprocessableError) return;
        const { result } = outcome as Awaited<ReturnType<typeof processTable>>;
        expect(result.errorCount === 0 || result.rowCount > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
