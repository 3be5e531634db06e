import { describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { splitQuoted } from '../../../../workers/table/text/split-quoted.ts';

describe('a record with quotes', () => {
  test.each([
    ['"a","b"', ['a', 'b']],
    ['a,"b,c",d', ['a', 'b,c', 'd']],
    ['"a\n\nb",', ['a\n\nb', '']],
    [',"",', ['', '', '']],
    ['""', ['']],
  ])('%j is cut where they stand around whole cells', (record, cells) => {
    expect(splitQuoted(record, ',')).toEqual(cells);
  });

  test.each(['"a ""b""",c', '"a"b,c', 'a"b",c', 'a, "b"', '"a', 'a,"', '"""', 'a,b"'])(
    '%j is not, since one stands elsewhere',
    (record) => {
      expect(splitQuoted(record, ',')).toBeUndefined();
    },
  );

  test('is cut as csv-parse cuts it, or not at all', () => {
    const record = fc.array(fc.constantFrom('"', ',', 'a', ' '), { maxLength: 12 }).map((signs) => signs.join(''));
    let cut = 0;
    fc.assert(
      fc.property(record, (text) => {
        const cells = splitQuoted(text, ',');
        if (cells === undefined || text === '') return;
        cut += 1;
        expect([cells]).toEqual(parse(text));
      }),
      { numRuns: 2000 },
    );
    expect(cut).toBeGreaterThan(200);
  });
});
