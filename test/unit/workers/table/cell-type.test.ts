import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CELL, cellTypeOf, columnTypeOf } from '../../../../workers/table/cell-type.ts';

describe('cell type', () => {
  test.each(['0', '-0', '7', '-12', '123456789012345'])('is integer for %j', (text) => {
    expect(cellTypeOf(text)).toBe(CELL.integer);
  });

  test.each(['0.5', '-1.25', '1e5', '1E+5', '2.5e-10', '1234567890123456.5'])('is number for %j', (text) => {
    expect(cellTypeOf(text)).toBe(CELL.number);
  });

  test.each(['true', 'false', 'TRUE', 'False'])('is boolean for %j', (text) => {
    expect(cellTypeOf(text)).toBe(CELL.boolean);
  });

  test.each(['2024-02-29', '2000-02-29', '0001-12-31'])('is date for %j', (text) => {
    expect(cellTypeOf(text)).toBe(CELL.date);
  });

  test.each([
    '2024-02-29T23:59',
    '2024-02-29 23:59:59',
    '2024-02-29T00:00:00Z',
    '2024-02-29T00:00:00.123456+05:30',
    '2024-02-29T00:00:00-0800',
  ])('is time for %j', (text) => {
    expect(cellTypeOf(text)).toBe(CELL.datetime);
  });

  test.each([
    '01',
    '-',
    '+5',
    '.5',
    '5.',
    '1e',
    '1e+',
    '1e999',
    '1,5',
    '1 000',
    '0x10',
    '1_000',
    '1234567890123456',
    ' 5',
    '5 ',
    'NaN',
    'Infinity',
    '--1',
    '1.2.3',
    'yes',
    'truth',
    'TRUE ',
    '2023-02-29',
    '1900-02-29',
    '2024-13-01',
    '2024-00-01',
    '2024-01-00',
    '2024-1-1',
    '2024-01-01T24:00',
    '2024-01-01T',
    '2024-01-01x',
    '01.02.2024',
    ' ',
  ])('is string for %j', (text) => {
    expect(cellTypeOf(text)).toBe(CELL.string);
  });

  test('is empty only for a cell without characters', () => {
    expect(cellTypeOf('')).toBe(CELL.empty);
  });

  test('is a number exactly if JSON has a number of the same value', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ noNaN: true }).map(String), fc.stringMatching(/^-?[0-9.eE+-]{1,8}$/)),
        (text) => {
          const isNumber = (cellTypeOf(text) & (CELL.integer | CELL.number)) !== 0;
          if (isNumber) expect(typeof JSON.parse(text)).toBe('number');
        },
      ),
    );
  });
});

describe('column type', () => {
  const typeOf = (...cells: string[]) => columnTypeOf(cells.reduce((sum, cell) => sum | cellTypeOf(cell), 0));

  test('is the type that fits all values', () => {
    expect([
      typeOf('1', '2'),
      typeOf('1', '2.5'),
      typeOf('true', 'false'),
      typeOf('2024-01-01'),
      typeOf('2024-01-01T10:00'),
    ]).toEqual(['integer', 'number', 'boolean', 'date', 'datetime']);
  });

  test('is string for values of several types', () => {
    expect([
      typeOf('1', 'x'),
      typeOf('1', 'true'),
      typeOf('2024-01-01', '2024-01-01T10:00'),
      typeOf('1', '01'),
    ]).toEqual(['string', 'string', 'string', 'string']);
  });

  test('ignores empty values, and is empty if there are no others', () => {
    expect([typeOf(), typeOf('', ''), typeOf('', '1')]).toEqual(['empty', 'empty', 'integer']);
  });
});
