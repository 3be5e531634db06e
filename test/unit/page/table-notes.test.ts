import { describe, expect, test } from '@jest/globals';
import type { RowError, TableResult, TableWarning } from '../../../src/wire/documents.ts';
import { createLineModel } from '../../../src/page/line-model.ts';
import { describeLine } from '../../../src/page/line-text.ts';
import { tableNotes } from '../../../src/page/table-notes.ts';
import { chinese } from '../../../src/page/words-chinese.ts';
import { english } from '../../../src/page/words-english.ts';
import { completedUpload, freshUpload } from '../client/documents.ts';

const GUESSED: TableWarning = { code: 'encoding_guessed', message: 'The encoding was guessed.' };

function tableWith(loss: Partial<TableResult>): TableResult {
  return {
    kind: 'table',
    format: 'csv',
    encoding: 'utf-8',
    encodingCertainty: 1,
    delimiter: ',',
    sheet: null,
    hasHeader: true,
    columns: [{ name: 'a', type: 'integer', nullCount: 0 }],
    rowCount: 1,
    firstRows: [[1]],
    errors: [],
    errorCount: 0,
    rowsSkipped: 0,
    warnings: [],
    jsonLines: { size: 8, url: '/variants/x/rows' },
    ...loss,
  };
}

function rowErrors(count: number): RowError[] {
  return Array.from({ length: count }, (_, index) => ({
    line: index + 2,
    code: 'too_few_cells',
    message: 'Too short.',
  }));
}

describe('notes on a table', () => {
  test('are empty if every row was accepted', () => {
    expect(tableNotes(tableWith({}), english)).toEqual([]);
  });

  test('count the rows that were left out and list the first errors', () => {
    const table = tableWith({ rowsSkipped: 1203, errors: rowErrors(7), errorCount: 1200 });
    expect(tableNotes(table, english)).toEqual([
      '1,203 rows skipped',
      ...[2, 3, 4, 5, 6].map((line) => `Line ${line}: Too short.`),
      '1,195 more rows with errors',
    ]);
  });

  test('contain every warning, in the language of the page if its code is known', () => {
    const table = tableWith({ warnings: [GUESSED, { code: 'a_later_one', message: 'Something new.' }] });
    expect(tableNotes(table, english)).toEqual(['The encoding was guessed.', 'Something new.']);
    expect(tableNotes(table, chinese)).toEqual([expect.stringMatching(/^文字编码是推测的/), 'Something new.']);
  });

  test.each([
    [{}, 'Done'],
    [{ rowsSkipped: 2 }, 'Done, with notes'],
    [{ warnings: [GUESSED] }, 'Done, with notes'],
  ])('change the state of the line: %j is shown as "%s"', (loss, stage) => {
    const upload = { ...completedUpload(freshUpload('an id')), result: tableWith(loss) };
    const line = { ...createLineModel({ name: 'rows.csv', sizeBytes: 9 }, null), upload };
    expect(describeLine(line, english)).toMatchObject({ state: 'done', stage });
  });
});
