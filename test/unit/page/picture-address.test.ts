import { describe, expect, test } from '@jest/globals';
import { archivePaths } from '../../../src/page/archive-paths.ts';
import { pictureFragment, readPictureFragment, variantPath } from '../../../src/page/picture-address.ts';

describe('address of a picture', () => {
  const address = { publicId: '2bo3__uvF6hBwnMSGqenKQ', variant: '1600' };

  test('is the fragment of the page, and leads to the variant', () => {
    expect(pictureFragment(address)).toBe('#photo=2bo3__uvF6hBwnMSGqenKQ/1600');
    expect(readPictureFragment(pictureFragment(address))).toEqual(address);
    expect(variantPath(address, '/media')).toBe('/media/variants/2bo3__uvF6hBwnMSGqenKQ/1600');
  });

  test.each(['', '#', '#ticket=ey.J0', '#photo=', '#photo=a', '#photo=a/../b', '#photo=//evil.test/x', '#photo=a/b?c'])(
    'is not the fragment "%s"',
    (fragment) => {
      expect(readPictureFragment(fragment)).toBeNull();
    },
  );
});

test('the archive of all files is split at the limit of the server', () => {
  const ids = Array.from({ length: 101 }, (_, index) => `id-${index}`);
  const [first = '', second] = archivePaths(ids, '/media');
  expect([first.slice(0, 38), first.split('upload=').length - 1]).toEqual([
    '/media/archive?upload=id-0&upload=id-1',
    100,
  ]);
  expect(second).toBe('/media/archive?upload=id-100');
  expect(archivePaths([], '')).toEqual([]);
});
