import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cleanFileName } from '../../../src/intake/file-name.ts';

/** Names with characters of attackers and of unusual keyboards. */
const anyName = fc.oneof(
  // These are any code points. `fc.string` would take seconds to make a list of them.
  fc.array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 400 }).map((points) => String.fromCodePoint(...points)),
  fc
    .array(
      fc.constantFrom(
        'a',
        '.',
        '..',
        '/',
        '\\',
        '\u0000',
        '\n',
        '\u202E',
        '\u061C',
        '\ud800',
        '😀',
        'é',
        'e\u0301',
        ' ',
        'ﬀ',
        'x'.repeat(99),
      ),
    )
    .map((parts) => parts.join('')),
);

describe('the clean name of a file with any name', () => {
  const holds = (rule: (name: string) => void) =>
    fc.assert(
      fc.property(anyName, (raw) => rule(cleanFileName(raw))),
      { numRuns: 300 },
    );

  test('is not a path', () => {
    holds((name) => {
      expect(name).not.toMatch(/[/\\]/);
      expect(['', '.', '..']).not.toContain(name);
    });
  });

  test('has no control characters, lone surrogates or characters that change the direction of text', () => {
    holds((name) => expect(name).not.toMatch(/[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u));
  });

  test('has at most 255 bytes', () => {
    holds((name) => expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255));
  });

  test('survives UTF-8, a URL and a header', () => {
    holds((name) => {
      expect(Buffer.from(name).toString()).toBe(name);
      expect(decodeURIComponent(encodeURIComponent(name))).toBe(name);
    });
  });
});

describe('a file name', () => {
  test.each([
    ['photo.jpg', 'photo.jpg'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\me\\photo.jpg', 'photo.jpg'],
    ['a/b\\c.png', 'c.png'],
    ['', 'file'],
    ['..', 'file'],
    ['folder/', 'file'],
    [' \u0000\u202E ', 'file'],
    ['gpj.\u202Eexe.jpg', 'gpj.exe.jpg'],
    ['  spaced name.jpg  ', 'spaced name.jpg'],
    ['cafe\u0301.jpg', 'caf\u00e9.jpg'],
    ['你好.jpg', '你好.jpg'],
    ['👩‍👩‍👧.jpg', '👩‍👩‍👧.jpg'],
    ['"quoted".jpg', '"quoted".jpg'],
    ['.htaccess', '.htaccess'],
  ])('%j becomes %j', (raw, clean) => {
    expect(cleanFileName(raw)).toBe(clean);
  });

  test('that is too long is cut between characters and keeps its extension', () => {
    const name = cleanFileName(`${'😀'.repeat(100)}.jpeg`);
    expect(name).toBe(`${'😀'.repeat(62)}.jpeg`);
    expect(cleanFileName('x'.repeat(300))).toBe('x'.repeat(255));
  });

  test('of 255 bytes is not changed', () => {
    const name = `${'ü'.repeat(125)}x.jpg`;
    expect(Buffer.byteLength(name)).toBe(255);
    expect(cleanFileName(name)).toBe(name);
  });
});
