import { describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import type { RowSink } from '../../../../workers/table/row-source.ts';
import { RecordReader } from '../../../../workers/table/text/record-reader.ts';

interface Read {
  rows: [line: number, ...cells: string[]][];
  errors: [line: number, code: string][];
}

function readAll(steps: Iterable<void>): void {
  for (const _full of steps);
}

/** Reads a text in chunks of `chunkBytes` bytes. */
function read(text: string, { chunkBytes = 65_536, delimiter = ',', maxLineBytes = 10_000 } = {}): Read {
  const rows: Read['rows'] = [];
  const errors: Read['errors'] = [];
  const sink: RowSink = {
    row: (cells, line) => rows.push([line, ...cells]),
    error: (line, code) => errors.push([line, code]),
  };
  const reader = new RecordReader({ delimiter, hasReturns: text.includes('\r'), maxLineBytes }, sink);
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += chunkBytes) readAll(reader.feed(bytes.subarray(at, at + chunkBytes)));
  readAll(reader.finish());
  return { rows, errors };
}

describe('records of a text', () => {
  test('are cut at delimiters and at line ends of every kind, also mixed', () => {
    expect(read('a,b\r\n1,2\n3,\r4,5').rows).toEqual([
      [1, 'a', 'b'],
      [2, '1', '2'],
      [3, '3', ''],
      [4, '4', '5'],
    ]);
  });

  test('may contain delimiters, quotes and line ends inside quotes', () => {
    expect(read('"a,b","say ""x"""\n"1\r\n2\n3",4\n5,6\n').rows).toEqual([
      [1, 'a,b', 'say "x"'],
      [2, '1\r\n2\n3', '4'],
      [5, '5', '6'],
    ]);
  });

  test('have line numbers that count blank lines', () => {
    expect(read('\n\na,b\r\n\r\n\r\n1,2\n\n').rows).toEqual([
      [3, 'a', 'b'],
      [6, '1', '2'],
    ]);
  });

  test('are the same as those of csv-parse for text in any chunks', () => {
    const cell = fc.oneof(
      fc.stringMatching(/^[a-z0-9 é;]{0,6}$/),
      fc
        .array(fc.constantFrom('"', ',', '\n', '\r\n', 'x', ' '), { maxLength: 5 })
        .map((parts) => `"${parts.join('').replaceAll('"', '""')}"`),
    );
    const row = fc.array(cell, { minLength: 1, maxLength: 4 }).map((cells) => cells.join(','));
    const text = fc
      .tuple(fc.array(row, { maxLength: 12 }), fc.constantFrom('\n', '\r\n', '\r'), fc.boolean())
      .map(([rows, end, ends]) => rows.join(end) + (ends ? end : ''));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 40 }), (whole, chunkBytes) => {
        const expected = parse(Buffer.from(whole, 'latin1'), {
          encoding: 'latin1',
          record_delimiter: ['\r\n', '\n', '\r'],
          relax_column_count: true,
          skip_empty_lines: true,
        });
        const { rows, errors } = read(whole, { chunkBytes });
        expect(rows.map(([, ...cells]) => cells)).toEqual(expected);
        expect(errors).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test('are passed on one at a time while the sink is full', () => {
    let rows = 0;
    const sink: RowSink = { row: () => (rows += 1), error: () => undefined, isFull: true };
    const reader = new RecordReader({ delimiter: ',', hasReturns: false, maxLineBytes: 1000 }, sink);
    const seen = [...reader.feed(Buffer.from('1,2\n3,4\n"a""b",6\n'))].length;
    expect([seen, rows]).toEqual([3, 3]);
    const steps = reader.feed(Buffer.from('7,8\n9,10\n'));
    steps.next();
    expect(rows).toBe(4);
  });
});

describe('unclosed quote', () => {
  test.each([
    ['that is never closed', 'a,b\n"1,2\n3,4\n'],
    ['that another one closes', 'a,b\n"1,2\n3,4\n5,"6"\n'],
    ['behind line ends within quotes', 'a,b\n"1\n3,4'],
  ])('%s is an error of its line only', (_where, text) => {
    for (const chunkBytes of [1, 3, 7, 1000]) {
      const { rows, errors } = read(text, { chunkBytes });
      expect(errors).toEqual([[2, 'stray_quote']]);
      expect(rows.slice(0, 2)).toEqual([
        [1, 'a', 'b'],
        [3, '3', '4'],
      ]);
    }
  });

  test.each([
    ['within a cell is a character', '5" steel,x\n', ['5" steel', 'x']],
    ['around a word is a character', 'the "big" one,x\n', ['the "big" one', 'x']],
    ['behind blanks opens a cell', 'a,  "b, c" ,d\n', ['a', 'b, c', 'd']],
    ['that was closed may be followed by text', '"7"x,"a"b"c\n', ['7x', 'ab"c']],
    ['behind blanks is one in a text with blanks for delimiters', 'a "b c" d\n', ['a', 'b c', 'd'], ' '],
  ])('%s', (_what, text, cells, delimiter = ',') => {
    for (const chunkBytes of [1, 2, 5, 1000])
      expect(read(text, { chunkBytes, delimiter })).toEqual({ rows: [[1, ...cells]], errors: [] });
  });

  test('changes neither the rows around it nor their line numbers', () => {
    const { rows, errors } = read('"a","b"\r\n"x,1\r\n\r\n"c\r\nd",2\r\n"e\r\nf"g,3\r\nh,4\r\n');
    expect(rows).toEqual([
      [1, 'a', 'b'],
      [4, 'c\r\nd', '2'],
      [7, 'f"g', '3'],
      [8, 'h', '4'],
    ]);
    expect(errors).toEqual([
      [2, 'stray_quote'],
      [6, 'stray_quote'],
    ]);
  });

  test('is found in any text, and every other line is a row', () => {
    const line = fc.constantFrom('1,2', '"1","2"', '"1"x,2', '1,x"y', '"1,2');
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 1, max: 30 }),
        (lines, chunkBytes) => {
          const { rows, errors } = read(lines.join('\n'), { chunkBytes });
          const whole = read(lines.join('\n'));
          expect({ rows, errors }).toEqual(whole);
          const seen = [...rows.map(([at]) => at), ...errors.map(([at]) => at)];
          expect(new Set(seen).size).toBe(seen.length);
        },
      ),
    );
  });
});

describe('line length', () => {
  test('is accepted up to the limit, and rejected with one byte more', () => {
    expect(read(`a,b\n${'x'.repeat(98)},y\n1,2`, { maxLineBytes: 100, chunkBytes: 64 }).rows).toHaveLength(3);
    for (const chunkBytes of [10, 64, 1000]) {
      expect(() => read(`a,b\n${'x'.repeat(99)},y\n1,2`, { maxLineBytes: 100, chunkBytes })).toThrow(
        expect.objectContaining({ code: 'table_line_too_long', detail: expect.stringContaining('Line 2 ') }),
      );
    }
  });

  test('of an endless line is rejected long before all of it is in memory', () => {
    const reader = new RecordReader(
      { delimiter: ',', hasReturns: false, maxLineBytes: 1000 },
      { row: () => undefined, error: () => undefined },
    );
    let chunks = 0;
    const feed = () => {
      for (; chunks < 1000; chunks += 1) readAll(reader.feed(Buffer.from('x'.repeat(100))));
    };
    expect(feed).toThrow(expect.objectContaining({ code: 'table_line_too_long' }));
    expect(chunks).toBeLessThan(25);
  });

  test('does not matter for a short line with an unclosed quote, which is an error', () => {
    const { rows, errors } = read(`a,b\n"1,2\n${'3,4\n'.repeat(200)}`, { maxLineBytes: 100 });
    expect(errors).toEqual([[2, 'stray_quote']]);
    expect(rows).toHaveLength(201);
  });
});
