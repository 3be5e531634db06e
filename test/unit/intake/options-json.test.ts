import { describe, expect, test } from '@jest/globals';
import { readOptionsJson } from '../../../src/intake/options-json.ts';
import { codeOf } from '../../helpers/fake-request.ts';

const read = (json: string) => readOptionsJson(json, 'The field "options"');
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('options', () => {
  test.each(['{}', 'null', '[{"a":[1,"x"]}]', `"${'x'.repeat(8190)}"`, nested(33)])(
    'that are JSON are given as they are (%#)',
    (json) => {
      expect(read(json)).toEqual(JSON.parse(json));
    },
  );

  test.each([
    ['not JSON', '', 'is not JSON'],
    ['cut JSON', '{"a":', 'is not JSON'],
    ['too long', `"${'x'.repeat(8191)}"`, 'more than 8192'],
    ['too deep', nested(34), 'nested deeper'],
    ['too deep among others', `{"a":1,"b":[2,${nested(33)}]}`, 'nested deeper'],
  ])('that are %s are refused with what to do', async (_what, json, detail) => {
    expect(await codeOf(Promise.resolve().then(() => read(json)))).toBe('bad_options');
    expect(() => read(json)).toThrow(detail);
    expect(() => read(json)).toThrow(/^The field "options" /);
  });
});
