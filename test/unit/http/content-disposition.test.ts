import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { attachmentDisposition, dispositionFileName } from '../../../src/http/content-disposition.ts';
import { patienceMs } from '../../helpers/patience.ts';
import { cleanFileName } from '../../../src/intake/file-name.ts';

/** Returns the text in the form in which Node passes a header on: bytes as latin1. */
const asSent = (text: string): string => Buffer.from(text).toString('latin1');

describe('the Content-Disposition of a download', () => {
  test.each([
    ['photo.jpg', 'attachment; filename="photo.jpg"; filename*=UTF-8\'\'photo.jpg'],
    ['my "x".jpg', 'attachment; filename="my _x_.jpg"; filename*=UTF-8\'\'my%20%22x%22.jpg'],
    ['ü.jpg', 'attachment; filename="_.jpg"; filename*=UTF-8\'\'%C3%BC.jpg'],
    ['a\\b%41.jpg', 'attachment; filename="a_b_41.jpg"; filename*=UTF-8\'\'a%5Cb%2541.jpg'],
    ["it's (1)*.jpg", "attachment; filename=\"it's (1)*.jpg\"; filename*=UTF-8''it%27s%20%281%29%2A.jpg"],
  ])('of %j has both forms of the name', (name, disposition) => {
    expect(attachmentDisposition(name)).toBe(disposition);
  });

  test('of any clean name is a valid header, from which the name can be read', () => {
    fc.assert(
      // These are any code points. `fc.string` would take seconds to make a list of them.
      fc.property(fc.array(fc.integer({ min: 0, max: 0x10ffff })), (codePoints) => {
        const raw = String.fromCodePoint(...codePoints);
        const name = cleanFileName(raw);
        const disposition = attachmentDisposition(name);
        expect(disposition).toMatch(/^[\x20-\x7e]*$/);
        expect(dispositionFileName(disposition)).toBe(name);
      }),
    );
  });
});

describe('the file name in a request', () => {
  test.each([
    ['attachment; filename="a b.jpg"', 'a b.jpg'],
    ['attachment; filename=a.jpg', 'a.jpg'],
    ['ATTACHMENT; FILENAME = "a.jpg"', 'a.jpg'],
    ['inline; filename=a.jpg; size=3', 'a.jpg'],
    ['attachment; filename="a\\"b\\\\c.jpg"', 'a"b\\c.jpg'],
    ['attachment; filename="a;b.jpg"', 'a;b.jpg'],
    ['attachment; filename=""', ''],
    ["attachment; filename*=UTF-8''%e2%82%ac%20rates.jpg", '€ rates.jpg'],
    ["attachment; filename*=utf-8'en'a.jpg", 'a.jpg'],
    ['attachment; filename="EURO"; filename*=UTF-8\'\'%E2%82%AC', '€'],
    ['attachment; filename*=UTF-8\'\'%E2%82%AC; filename="EURO"', '€'],
    ['attachment; filename*=ISO-8859-1\'\'%A3; filename="pound.jpg"', '£'],
    ['attachment; filename=my photo.jpg; size=3', 'my photo.jpg'],
    ['attachment; filename="12%22 disc.jpg"', '12%22 disc.jpg'],
    ['attachment; filename="=?utf-8?B?5L2g5aW9LnBuZw==?="', '你好.png'],
    ['attachment; filename="=?UTF-8?Q?=E4=BD=A0_a?= =?iso-8859-1?q?=FC.png?="', '你 aü.png'],
    ['attachment; filename="=?utf-8?B?5L2g5aW9?=.png"', '=?utf-8?B?5L2g5aW9?=.png'],
    ['attachment; filename="=?utf-9?B?5L2g5aW9?="', '=?utf-9?B?5L2g5aW9?='],
    ['attachment; filename="%E4%BD%A0%20(1).png"', '你 (1).png'],
    ['attachment; filename="%E4%BD%A0 1.png"', '%E4%BD%A0 1.png'],
    ['attachment; filename="my%20photo.png"', 'my%20photo.png'],
    ['attachment; filename="%E4%BD.png"', '%E4%BD.png'],
  ])('in %s is %j', (header, name) => {
    expect(dispositionFileName(header)).toBe(name);
  });

  test('may be in UTF-8 without a declaration, as curl sends it', () => {
    expect(dispositionFileName(asSent('attachment; filename="ü你.jpg"'))).toBe('ü你.jpg');
  });

  test('may be sent in windows-1252', () => {
    expect(dispositionFileName('attachment; filename="Gr\xfc\xdfe \x80.png"')).toBe('Grüße €.png');
  });

  test('is read in linear time', () => {
    for (const piece of [';a="x', '" ', ';a', '; ', '%80', '=?a?b?', '\\"', ';filename="']) {
      // Processor time, because other processes may let this one wait.
      const before = process.cpuUsage();
      dispositionFileName(`attachment; filename="${piece.repeat(20_000)}!`);
      dispositionFileName(`attachment${piece.repeat(20_000)}`);
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(patienceMs(500));
    }
  });

  test.each(['', 'attachment', 'attachment; file=a', 'filename'])('is missing in %j', (header) => {
    expect(dispositionFileName(header)).toBeUndefined();
  });

  test('is taken from the plain form if the extended form is broken (RFC 6266 section 4.3)', () => {
    expect(dispositionFileName('attachment; filename="a.jpg"; filename*=UTF-8\'\'%E2%82')).toBe('a.jpg');
    expect(dispositionFileName("attachment; filename*=UTF-8''%zz")).toBeUndefined();
  });

  test('is the parameter of that name, not text inside another parameter', () => {
    expect(dispositionFileName('form-data; name="filename=evil.exe"; filename="a.jpg"')).toBe('a.jpg');
    expect(dispositionFileName('attachment; xfilename=evil.exe; filename=a.jpg')).toBe('a.jpg');
  });

  test('is read from any header without an error', () => {
    const piece = fc.constantFrom('filename', '*', '=', '"', '\\', ';', "UTF-8''", '%', 'E2', 'a', ' ');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((parts) => parts.join('')),
        ),
        (header) => void dispositionFileName(header),
      ),
    );
  });
});
