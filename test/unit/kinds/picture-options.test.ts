import { describe, expect, test } from '@jest/globals';
import { DEFAULT_PICTURE_OPTIONS, pictureOptionsSchema } from '../../../src/kinds/picture-options.ts';

const schema = pictureOptionsSchema();

function mistakesIn(options: unknown): string[] {
  return schema.safeParse(options).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

/** Makes a valid variant with these changes. */
function variant(more: object): object {
  return { variants: [{ name: 'a', longestSide: 100, ...more }] };
}

const boxed = (more: object) => ({ variants: [{ name: 'a', ...more }] });

describe('options of a picture', () => {
  test('default to the settings, member by member', () => {
    expect(schema.parse({})).toEqual(DEFAULT_PICTURE_OPTIONS);
    const defaults = { ...DEFAULT_PICTURE_OPTIONS, keepMetadata: true };
    expect(pictureOptionsSchema(defaults).parse({ variants: [] })).toEqual({
      variants: [],
      keepMetadata: true,
      gps: false,
    });
  });

  test('accept a longest side, a box, or one side of it', () => {
    const variants = [
      { longestSide: 5 },
      { width: 5, height: 4 },
      { width: 5 },
      { height: 4 },
      { width: 5, height: 4, fit: 'cover' },
      { width: 8192, height: 1, fit: 'contain' },
    ];
    const named = variants.map((size, index) => ({ name: `v-${index}`, format: 'jpeg', quality: 1, ...size }));
    expect(schema.parse({ variants: named }).variants).toEqual(named);
  });

  test('get a format and its default quality', () => {
    const variants = ['webp', 'jpeg', 'avif', 'png'].map((format) => ({ name: format, width: 1, format }));
    expect(schema.parse({ variants }).variants.map(({ quality }) => quality)).toEqual([80, 80, 55, undefined]);
    expect(schema.parse(boxed({ width: 1 })).variants).toEqual([{ name: 'a', width: 1, format: 'webp', quality: 80 }]);
  });

  test('are accepted again in the form in which they are returned', () => {
    const once = schema.parse({
      variants: [
        { name: 'a', width: 4, height: 5, fit: 'cover' },
        { name: 'b', longestSide: 4, format: 'png' },
      ],
      gps: true,
    });
    expect(pictureOptionsSchema({ ...DEFAULT_PICTURE_OPTIONS, keepMetadata: true }).parse(once)).toEqual(once);
  });

  test.each([null, [], 'x', 7, true])('must be an object, not %j', (options) => {
    expect(mistakesIn(options)).toEqual([': must be an object with variants, keepMetadata and gps']);
  });

  test.each<[string, unknown, string]>([
    [
      'an unknown member',
      { shrink: 3 },
      ': has an unknown member "shrink"; allowed are variants, keepMetadata and gps',
    ],
    [
      'a misspelt member',
      variant({ Quality: 3 }),
      'variants.0: has an unknown member "Quality"; allowed are name, longestSide, width, height, fit, format and quality',
    ],
    [
      'a member that cannot be shown',
      { ['<'.repeat(9000)]: 3 },
      ': has an unknown member; allowed are variants, keepMetadata and gps',
    ],
    ['no list', { variants: {} }, 'variants: must be a list'],
    [
      'no object',
      { variants: ['160'] },
      'variants.0: must be an object with name, longestSide, width, height, fit, format and quality',
    ],
    ['no size', boxed({}), 'variants.0: has no size; set longestSide, or width and height'],
    ['two sizes', variant({ width: 100 }), 'variants.0: has both longestSide and a box; remove one of them'],
    [
      'a fit without a box',
      boxed({ width: 1, fit: 'cover' }),
      'variants.0: has a fit, which needs both width and height',
    ],
    [
      'a fit beside the longest side',
      variant({ fit: 'inside' }),
      'variants.0: has a fit, which needs both width and height',
    ],
    [
      'an unknown fit',
      boxed({ width: 1, height: 1, fit: 'fill' }),
      'variants.0.fit: must be one of inside, cover, contain',
    ],
    ['an unknown format', variant({ format: 'bmp' }), 'variants.0.format: must be one of webp, jpeg, avif, png'],
    [
      'quality for PNG',
      variant({ format: 'png', quality: 80 }),
      'variants.0: has a quality, which PNG does not support; remove it, or choose another format',
    ],
    ['a word for true', { gps: 'yes' }, 'gps: must be true or false'],
    ['a number for true', { keepMetadata: 1 }, 'keepMetadata: must be true or false'],
  ])('with %s are rejected, and the message names the mistake and the remedy', (_, options, message) => {
    expect(mistakesIn(options)).toEqual([message]);
  });

  test.each([0, -1, -1.5, 1.5, 8193, 1e9, Infinity, Number.NaN, '100', null, [100]])('reject a side of %p', (side) => {
    const message = 'must be a whole number of pixels from 1 to 8192';
    expect(mistakesIn(boxed({ longestSide: side }))).toEqual([`variants.0.longestSide: ${message}`]);
    expect(mistakesIn(boxed({ width: 5, height: side }))).toEqual([`variants.0.height: ${message}`]);
  });

  test.each([0, 101, 80.5, '80', null])('reject a quality of %p', (quality) => {
    expect(mistakesIn(variant({ quality }))).toEqual(['variants.0.quality: must be a whole number from 1 to 100']);
  });

  test.each(['', '.', '..', '../a', 'a/b', 'a.b', 'a b', 'ä', '-a', '_a', '__proto__', 'a\n', 'a'.repeat(65), 5, null])(
    'reject a name like %p, which is not safe in a URL',
    (name) => {
      expect(mistakesIn(variant({ name }))).toEqual([
        expect.stringMatching(/^variants\.0\.name: must be 1 to 64 letters/),
      ]);
    },
  );

  test('reject a name that appears twice, in any case', () => {
    const variants = ['a', 'b', 'A', 'b'].map((name) => ({ name, width: 1 }));
    expect(mistakesIn({ variants })).toEqual([
      'variants.2.name: is also the name of variants[0]; use different names, upper and lower case count as the same',
      'variants.3.name: is also the name of variants[1]; use different names, upper and lower case count as the same',
    ]);
  });

  test('accept 16 variants, and not 17 or 200', () => {
    const of = (count: number) => ({
      variants: Array.from({ length: count }, (_, index) => ({ name: `v${index}`, width: 1 })),
    });
    expect(schema.parse(of(16)).variants).toHaveLength(16);
    for (const count of [17, 200])
      expect(mistakesIn(of(count))).toEqual([
        'variants: may have at most 16 entries; remove some, or send the file twice',
      ]);
  });
});
