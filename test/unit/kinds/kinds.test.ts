import { describe, expect, test } from '@jest/globals';
import { acceptedTypes, createKinds } from '../../../src/kinds/kinds.ts';
import { DEFAULT_PICTURE_OPTIONS } from '../../../src/kinds/picture-options.ts';

describe('kinds of files', () => {
  test.each(['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'image/gif', 'image/tiff'])(
    '%s is a picture',
    (type) => {
      expect(createKinds().find(type)?.name).toBe('picture');
      expect(acceptedTypes()).toContain(type);
    },
  );

  test.each(['image/svg+xml', 'image/heic', 'application/pdf', 'text/html', 'IMAGE/JPEG', '', 'image/*'])(
    '%j is none',
    (type) => {
      expect(createKinds().find(type)).toBeUndefined();
    },
  );

  test('no type is taken twice', () => {
    expect(new Set(acceptedTypes()).size).toBe(acceptedTypes().length);
  });
});

describe('the names of derived files', () => {
  const options = { variants: [{ name: 'card', width: 4, format: 'webp' }] };

  test('are those that the options give, and else those of the settings', () => {
    const kinds = createKinds({
      pictureOptions: { ...DEFAULT_PICTURE_OPTIONS, variants: [{ name: 'hero', longestSide: 9, format: 'png' }] },
    });
    expect([...kinds.variantNames('image/png', options)]).toEqual(['card']);
    expect([...kinds.variantNames('image/png', {})]).toEqual(['hero']);
    expect([...createKinds().variantNames('image/png', {})]).toEqual(['1600', '640', '160']);
  });

  test('are known from the options before the type is', () => {
    expect([...createKinds().variantNames(null, options)]).toEqual(['card']);
  });

  test('are none for a type that nobody takes and for options that make no sense', () => {
    expect(createKinds().variantNames('text/plain', {}).size).toBe(0);
    expect(createKinds().variantNames('image/png', { variants: 3 }).size).toBe(0);
  });
});
