import { describe, expect, test } from '@jest/globals';
import { createKinds } from '../../../src/kinds/kinds.ts';
import { pictureKind } from '../../../src/kinds/picture.ts';
import { DEFAULT_PICTURE_OPTIONS } from '../../../src/kinds/picture-options.ts';
import { table } from '../../../src/kinds/table.ts';
import { ServiceError } from '../../../src/errors.ts';
import { keptOptions, parseOptions, readOptionsJson } from '../../../src/intake/options.ts';
import { codeOf } from '../../helpers/fake-request.ts';

function refusalOf(
  options: unknown,
  kind: Parameters<typeof parseOptions>[0] = pictureKind(),
): ServiceError | undefined {
  try {
    parseOptions(kind, options);
    return undefined;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
}

describe('the options of a client', () => {
  test('are completed with the defaults', () => {
    expect(parseOptions(pictureKind(), { gps: true })).toEqual({ ...DEFAULT_PICTURE_OPTIONS, gps: true });
  });

  test('are rejected in one sentence that names the place as JavaScript does', () => {
    const options = {
      variants: [
        { name: 'a', width: 1 },
        { name: 'b', width: 0 },
      ],
    };
    expect(refusalOf(options)).toMatchObject({
      code: 'bad_options',
      message: 'options.variants[1].width must be a whole number of pixels from 1 to 8192.',
    });
    expect(refusalOf(null)).toMatchObject({
      message: 'options must be an object with variants, keepMetadata and gps.',
    });
  });

  test.each([
    [[], 'options must be an object.'],
    [{ nonsense: 1 }, 'options has the unknown member nonsense.'],
    [{ delimiter: 7, header: 'no' }, 'options.delimiter must be a text; options.header must be true or false.'],
    [{ maxErrors: -1 }, 'options.maxErrors must be at least 0.'],
  ])('are rejected in plain words for a table: %j', (options, message) => {
    expect(refusalOf(options, table)).toMatchObject({ code: 'bad_options', message });
  });

  test('are rejected in few words for any number of mistakes', () => {
    const variants = Array.from({ length: 16 }, () => ({ name: '../'.repeat(50), width: -1 }));
    const message = refusalOf({ variants })?.message ?? '';
    expect(message).toMatch(/^options\.variants\[0\]\.name must be .*; and \d\d more\.$/);
    expect(message.length).toBeLessThan(500);
  });
});

describe('the options kept before the type of the file is known', () => {
  const kinds = createKinds();
  const variants = Array.from({ length: 16 }, (_, index) => ({
    name: `a-variant-with-a-long-name-${index}`,
    longestSide: 900,
    format: 'webp',
    quality: 80,
  }));

  test('include all short ones', () => {
    const short = { unknown: 'x'.repeat(900) };
    expect(keptOptions(kinds, short)).toBe(short);
  });

  test('include all long options of some file kind', () => {
    expect(JSON.stringify({ variants }).length).toBeGreaterThan(1024);
    expect(keptOptions(kinds, { variants })).toEqual({ variants });
  });

  test('include no long options of no file kind', () => {
    expect(keptOptions(kinds, { unknown: 'x'.repeat(8000) })).toEqual({});
  });
});

const read = (json: string) => readOptionsJson(json, 'The field "options"');
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

describe('the text of the options', () => {
  test.each(['{}', 'null', '[{"a":[1,"x"]}]', `"${'x'.repeat(8190)}"`, nested(33)])(
    'is accepted if it is JSON (%#)',
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
  ])('is rejected with advice if it is %s', async (_what, json, detail) => {
    expect(await codeOf(Promise.resolve().then(() => read(json)))).toBe('bad_options');
    expect(() => read(json)).toThrow(detail);
    expect(() => read(json)).toThrow(/^The field "options" /);
  });
});
