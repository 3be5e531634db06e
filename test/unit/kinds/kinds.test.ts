import { describe, expect, test } from '@jest/globals';
import { acceptedTypes, createKinds } from '../../../src/kinds/kinds.ts';
import { DEFAULT_PICTURE_OPTIONS } from '../../../src/kinds/picture-options.ts';

describe('file kinds', () => {
  test.each(['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'image/gif', 'image/tiff'])(
    'include %s as a picture',
    (type) => {
      expect(createKinds().find(type)?.name).toBe('picture');
      expect(acceptedTypes()).toContain(type);
    },
  );

  test.each(['image/svg+xml', 'image/heic-sequence', 'application/pdf', 'text/html', 'IMAGE/JPEG', '', 'image/*'])(
    'do not include %j',
    (type) => {
      expect(createKinds().find(type)).toBeUndefined();
    },
  );

  test.each(['image/heic', 'image/heif'])('include %s unless it is turned off', (type) => {
    expect(createKinds().find(type)?.name).toBe('picture');
    expect(createKinds({ pictureHeic: 'off' }).find(type)).toBeUndefined();
    expect(createKinds({ pictureHeic: 'off' }).adviceOn(type)).toContain('JPEG');
  });

  test('accept each type once', () => {
    expect(new Set(acceptedTypes()).size).toBe(acceptedTypes().length);
  });
});

describe('the names of derived files', () => {
  const options = { variants: [{ name: 'card', width: 4, format: 'webp' }] };

  test('are those in the options, or else in the settings', () => {
    const kinds = createKinds({
      pictureOptions: { ...DEFAULT_PICTURE_OPTIONS, variants: [{ name: 'hero', longestSide: 9, format: 'png' }] },
    });
    expect([...kinds.variantNames('image/png', options)]).toEqual(['card']);
    expect([...kinds.variantNames('image/png', {})]).toEqual(['hero']);
    expect([...createKinds().variantNames('image/png', {})]).toEqual(['1600', '640', '160']);
  });

  test('are known from the options before the type is known', () => {
    expect([...createKinds().variantNames(null, options)]).toEqual(['card']);
  });

  test('are empty for an unknown type and for invalid options', () => {
    expect(createKinds().variantNames('text/plain', {}).size).toBe(0);
    expect(createKinds().variantNames('image/png', { variants: 3 }).size).toBe(0);
  });
});
