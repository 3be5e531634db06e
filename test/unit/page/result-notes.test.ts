import { describe, expect, test } from '@jest/globals';
import type { PictureResult, RowError, TableResult, TableWarning, Upload } from '../../../src/wire/documents.ts';
import { createLineModel } from '../../../src/page/line-model.ts';
import { describeLine } from '../../../src/page/line-text.ts';
import { resultNotes } from '../../../src/page/result-notes.ts';
import { chinese } from '../../../src/page/words-chinese.ts';
import { english } from '../../../src/page/words-english.ts';
import { german } from '../../../src/page/words-german.ts';
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

describe('notes on a result', () => {
  test('are empty if the whole file was accepted', () => {
    expect(resultNotes(tableWith({}), english)).toEqual([]);
  });

  test('count the rows that were left out and list the first errors', () => {
    const table = tableWith({ rowsSkipped: 1203, errors: rowErrors(7), errorCount: 1200 });
    expect(resultNotes(table, english)).toEqual([
      '1,203 rows skipped',
      ...[2, 3, 4, 5, 6].map((line) => `Line ${line}: Too short.`),
      '1,195 more rows with errors',
    ]);
  });

  test('contain every warning, in the language of the page if its code is known', () => {
    const table = tableWith({ warnings: [GUESSED, { code: 'a_later_one', message: 'Something new.' }] });
    expect(resultNotes(table, english)).toEqual(['The encoding was guessed.', 'Something new.']);
    expect(resultNotes(table, chinese)).toEqual([expect.stringMatching(/^文字编码是推测的/), 'Something new.']);
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

  test('contain the warnings of a picture, and change the state of its line', () => {
    const upload = completedUpload(freshUpload('an id'));
    const picture = pictureOf(upload.result);
    expect(resultNotes(picture, english)).toEqual([]);
    const warned = { ...picture, warnings: [{ code: 'other_frames', message: 'Only one frame is shown.' }] };
    expect(resultNotes(warned, english)).toEqual(['Only one frame is shown.']);
    expect(resultNotes(warned, german)).toEqual([expect.stringMatching(/^Die Datei ist eine Animation/)]);
    const line = { ...createLineModel({ name: 'a.gif', sizeBytes: 9 }, null), upload: { ...upload, result: warned } };
    expect(describeLine(line, english)).toMatchObject({ state: 'done', stage: 'Done, with notes' });
  });
});

function pictureOf(result: Upload['result']): PictureResult {
  if (result?.kind !== 'picture') throw new Error('the document has no picture');
  return result;
}
