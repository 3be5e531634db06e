import { describe, expect, test } from '@jest/globals';
import { placeOfJsonFault } from '../../../src/access/json-fault.ts';

describe('the place of a fault in JSON', () => {
  test.each([
    ['{"a":1,}', 'line 1, column 8'],
    ['{"a":1 "b":2}', 'line 1, column 8'],
    ['{"a" 1}', 'line 1, column 6'],
    ['{a:1}', 'line 1, column 2'],
    ['[1,]', 'line 1, column 4'],
    ['[1 2]', 'line 1, column 4'],
    ['{"a":[1}', 'line 1, column 8'],
    ['', 'line 1, column 1'],
    ['{\n  "a": {\n    "secret": abc\n  }\n}', 'line 3, column 15'],
    ['{"a": "not\nclosed"}', 'line 1, column 7'],
    ['{"a": 01}', 'line 1, column 8'],
    ['{} {}', 'line 1, column 4'],
    ['{"a": {"b": 1}', 'line 1, column 15'],
  ])('of %j is %s', (text, place) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(placeOfJsonFault(text)).toBe(place);
  });

  test.each(['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}', ' [] ', '"a"', '1e3', '{"a":{"b":[1,-2.5e+3,true,null]}}\n'])(
    'is nowhere in %j',
    (text) => {
      expect(placeOfJsonFault(text)).toBeUndefined();
    },
  );

  test.each([
    ['{"a":1,"a":2}', 'line 1, column 8'],
    ['{"a":{},\n "\\u0061":2}', 'line 2, column 2'],
  ])('is a repeated name, too: %j', (text, place) => {
    expect(placeOfJsonFault(text)).toBe(place);
  });

  test('is found in a text of a million brackets', () => {
    expect(placeOfJsonFault('['.repeat(1_000_000))).toBe('line 1, column 1000001');
  });
});
