import { describe, expect, test } from '@jest/globals';
import { acceptedTypes, createKinds, type Kinds } from '../../../src/kinds/kinds.ts';
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

  test.each([
    ['image/bmp', /JPEG or PNG/],
    ['image/jp2', /JPEG or PNG/],
    ['image/mj2', /moving pictures/],
    ['image/x-icon', /JPEG or PNG/],
    ['image/x-iphone-png', /before that.*pngcrush -revert-iphone-optimizations/],
    ['application/eps', /PNG/],
    ['application/pdf', /export them as JPEG or PNG/],
    ['video/quicktime', /Live Photo, send the picture/],
    ['application/gzip', /Unpack it/],
    ['application/zip', /XLSX or CSV\. .*Unpack it/],
    ['application/octet-stream', /CSV in UTF-8.*JPEG or PNG/],
  ])('have advice on %s', (type, advice) => {
    expect(createKinds().adviceOn(type)).toMatch(advice);
  });

  test('accept each type once', () => {
    expect(new Set(acceptedTypes()).size).toBe(acceptedTypes().length);
  });
});

/** Returns the names of files that exist or may exist. */
function namesOf(kinds: Kinds, type: string | null, options: unknown): string[] {
  return ['1600', '640', '160', 'card', 'hero', 'page-1.png'].filter((name) => kinds.mayHave(type, options, name));
}

describe('the names of derived files', () => {
  const options = { variants: [{ name: 'card', width: 4, format: 'webp' }] };

  test('are those in the options, or else in the settings', () => {
    const kinds = createKinds({
      pictureOptions: { ...DEFAULT_PICTURE_OPTIONS, variants: [{ name: 'hero', longestSide: 9, format: 'png' }] },
    });
    expect(namesOf(kinds, 'image/png', options)).toEqual(['card']);
    expect(namesOf(kinds, 'image/png', {})).toEqual(['hero']);
    expect(namesOf(createKinds(), 'image/png', {})).toEqual(['1600', '640', '160']);
  });

  test('are known from the options before the type is known', () => {
    expect(namesOf(createKinds(), null, options)).toEqual(['card']);
  });

  test('are empty for an unknown type and for invalid options', () => {
    expect(namesOf(createKinds(), 'text/plain', {})).toEqual([]);
    expect(namesOf(createKinds(), 'image/png', { variants: 3 })).toEqual([]);
  });
});
