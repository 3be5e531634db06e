import { describe, expect, test } from '@jest/globals';
import { safeName, UniqueNames, withoutEnding } from '../../../src/archive/entry-names.ts';

describe('names in an archive', () => {
  test.each([
    ['harbour.jpg', 'harbour.jpg'],
    ['港 – e\u0301.jpg', '港 – é.jpg'],
    ['../../etc/passwd', '.._.._etc_passwd'],
    ['C:\\a|b?.csv', 'C__a_b_.csv'],
    ['tab\there', 'tab_here'],
    ['ends with dots. .', 'ends with dots'],
    ['NUL.txt', '_NUL.txt'],
    ['com1', '_com1'],
    ['common.txt', 'common.txt'],
    ['...', 'file'],
    ['', 'file'],
  ])('turn %j into %j, which every file system accepts', (fileName, safe) => {
    expect(safeName(fileName)).toBe(safe);
  });

  test('are at most 255 bytes long and keep their ending', () => {
    const name = safeName(`${'港'.repeat(300)}.jpeg`);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
    expect(name).toMatch(/港\.jpeg$/);
  });

  test('are unique, also on a disk that ignores case', () => {
    const names = new UniqueNames();
    const given = ['a.jpg', 'a.jpg', 'A.JPG', 'a (2).jpg', 'b', 'b', 'a.jpg'];
    expect(given.map((name) => names.add(name))).toEqual([
      'a.jpg',
      'a (2).jpg',
      'A (3).JPG',
      'a (2) (2).jpg',
      'b',
      'b (2)',
      'a (4).jpg',
    ]);
  });

  test('stay within 255 bytes when a number is added', () => {
    const names = new UniqueNames();
    const long = safeName(`${'x'.repeat(300)}.jpg`);
    names.add(long);
    const second = names.add(long);
    expect([second.length, second.slice(-8)]).toEqual([255, ' (2).jpg']);
  });

  test('lose their ending when they name a folder', () => {
    expect([withoutEnding('a.b.csv'), withoutEnding('Makefile'), withoutEnding('.csv')]).toEqual([
      'a.b',
      'Makefile',
      'file',
    ]);
  });
});
