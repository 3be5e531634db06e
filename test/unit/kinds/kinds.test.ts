import { describe, expect, test } from '@jest/globals';
import { acceptedTypes, kindOf, possibleVariantNames } from '../../../src/kinds/kinds.ts';
import { picture, PICTURE_VARIANTS } from '../../../src/kinds/picture.ts';

describe('kinds of files', () => {
  test.each(['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'image/gif', 'image/tiff'])('%s is a picture', (type) => {
    expect(kindOf(type)?.name).toBe('picture');
    expect(acceptedTypes()).toContain(type);
  });

  test.each(['image/svg+xml', 'application/pdf', 'text/html', 'IMAGE/JPEG', '', 'image/*'])('%j is none', (type) => {
    expect(kindOf(type)).toBeUndefined();
  });

  test('no type is taken twice', () => {
    expect(new Set(acceptedTypes()).size).toBe(acceptedTypes().length);
  });

  test('every variant that an upload may have is known before its type is', () => {
    expect([...possibleVariantNames()]).toEqual(expect.arrayContaining(['1600', '640', '160']));
  });
});

describe('a picture', () => {
  test('takes no options yet, and refuses unknown ones, so that a later meaning breaks nobody', () => {
    expect(picture.options.safeParse({}).success).toBe(true);
    for (const options of [{ width: 1 }, null, [], 'x', 1]) expect(picture.options.safeParse(options).success).toBe(false);
  });

  test('has variants of different names, each made from the one before it', () => {
    const sides = PICTURE_VARIANTS.map((spec) => spec.longestSide);
    expect(sides).toEqual(sides.toSorted((a, b) => b - a));
    expect(new Set(PICTURE_VARIANTS.map((spec) => spec.name)).size).toBe(PICTURE_VARIANTS.length);
    expect(picture.variantNames({})).toEqual(PICTURE_VARIANTS.map((spec) => spec.name));
  });
});
