import { describe, expect, test } from '@jest/globals';
import { timeValueOf } from '../../../../workers/table/workbook/serial-date.ts';
import { timeFormatOf } from '../../../../workers/table/workbook/styles.ts';

describe('serial date', () => {
  test.each([
    [1, 'date', false, '1900-01-01'],
    [59, 'date', false, '1900-02-28'],
    [61, 'date', false, '1900-03-01'],
    [45_351, 'date', false, '2024-02-29'],
    [45_351.5, 'date', false, '2024-02-29T12:00:00'],
    [45_351.000_000_001, 'date', false, '2024-02-29'],
    [45_351.999_999_999, 'date', false, '2024-03-01'],
    [2_958_465, 'date', false, '9999-12-31'],
    [45_351, 'datetime', false, '2024-02-29T00:00:00'],
    [45_351.5, 'datetime', false, '2024-02-29T12:00:00'],
    [45_351 + 1 / 86_400, 'datetime', false, '2024-02-29T00:00:01'],
    [45_351.123_456_789, 'datetime', false, '2024-02-29T02:57:46.667'],
    [0.5, 'datetime', false, '12:00:00'],
    [0, 'date', true, '1904-01-01'],
    [43_889, 'date', true, '2024-02-29'],
    [0.25, 'time', false, '06:00:00'],
    [45_351.75, 'time', false, '2024-02-29T18:00:00'],
    [41_609.035_555_555_6, 'time', false, '2013-12-01T00:51:12'],
    [0.25, 'duration', false, 'PT6H'],
    [1.5, 'duration', false, 'PT36H'],
    [0, 'duration', false, 'PT0S'],
    [-(1 + 1.5 / 86_400), 'duration', false, '-PT24H1.5S'],
    [0.5 / 24, 'duration', false, 'PT30M'],
  ] as const)('of %d shown as a %s, from 1904: %j, is %s', (serial, format, isFrom1904, text) => {
    expect(timeValueOf(serial, format, isFrom1904)?.text).toBe(text);
  });

  test.each([
    [-1, 'date'],
    [0.5, 'date'],
    [2_958_466, 'date'],
    [2_958_466, 'duration'],
    [Number.NaN, 'date'],
    [Number.NaN, 'duration'],
  ] as const)('of %d is no %s', (serial, format) => {
    expect(timeValueOf(serial, format, false)).toBeUndefined();
  });
});

describe('number format', () => {
  test.each(['yyyy-mm-dd', 'm/d/yy', 'd. mmmm', 'mmm yy', '[$-409]d\\-mmm\\-yyyy;@', 'ggge"年"m"月"', 'mm'])(
    '%s is a date',
    (code) => {
      expect(timeFormatOf(code)).toBe('date');
    },
  );

  test.each(['m/d/yy h:mm', 'yyyy-mm-dd"T"hh:mm:ss', 'dd.mm.yyyy hh:mm AM/PM'])('%s is a date and a time', (code) => {
    expect(timeFormatOf(code)).toBe('datetime');
  });

  test.each(['h:mm', 'mm:ss', 'mm:ss.0', 'h:mm AM/PM'])('%s is a time', (code) => {
    expect(timeFormatOf(code)).toBe('time');
  });

  test.each(['[h]:mm:ss', '[mm]:ss', '[Red][s].00'])('%s is a duration', (code) => {
    expect(timeFormatOf(code)).toBe('duration');
  });

  test.each([
    'General',
    '0.00',
    '#,##0',
    '0%',
    '[Red]0',
    '"days" 0',
    '@',
    '# ?/?',
    '0.00E+00',
    '_-* #,##0.00 "DM"',
    '[>100]0',
    'General"d"',
    'G/通用格式',
    '[DBNum1][$-804]G/通用格式',
    'Standard',
    '0.00 Std',
  ])('%s is a number', (code) => {
    expect(timeFormatOf(code)).toBeUndefined();
  });
});
