import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sniffDelimitedText } from '../../../src/kinds/delimited-text.ts';

function delimiterOf(text: string | Buffer, isWhole = true): string | undefined {
  return sniffDelimitedText({ head: Buffer.from(text), isWhole })?.delimiter;
}

describe('a delimited text', () => {
  test.each([
    ['commas', 'id,name\n1,Ada\n2,Grace\n', ','],
    ['semicolons around decimal commas', 'Ware;Preis\nMilch;1,29\nBrot;2,49\n', ';'],
    ['decimal commas in every cell', '1,5;2,5\n3,5;4,5\n', ';'],
    ['tabs', 'id\tname\n1\tAda, Countess of Lovelace\n', '\t'],
    ['bars', 'id|name\n1|Ada\n2|Grace\n', '|'],
    ['carriage returns alone', 'a,b\r1,2\r3,4\r', ','],
    ['no line end at its end', 'a,b\n1,2', ','],
    ['blank lines', '\n\na,b\n\n1,2\n\n3,4\n', ','],
    ['quotes around delimiters and line ends', 'a,b\n"1, 2\n3","x ""y"", z"\n4,5\n', ','],
    ['a row that is too short', 'a,b,c\n1,2,3\n1,2\n1,2,3\n', ','],
    ['spaces behind its commas', 'id, name, city\n1, Ada, London\n2, Grace, New York\n', ','],
    ['a column of sentences', 'id,text\n1,The quick brown fox.\n2,It jumps over the lazy dog.\n', ','],
  ])('is recognized by %s', (_what, text, delimiter) => {
    expect(delimiterOf(text)).toBe(delimiter);
  });

  test('is recognized if the sample ends within a record, also in quotes', () => {
    const text = `id,name,note\n${'1,Ada,"a ""long"" note, and more"\n'.repeat(100)}`;
    for (let length = 40; length < 120; length += 1) expect(delimiterOf(text.slice(0, length), false)).toBe(',');
  });

  test('is recognized if its first line is long and does not end within the sample', () => {
    expect(delimiterOf(Array.from({ length: 900 }, (_, index) => `c${index}`).join(','), false)).toBe(',');
    expect(delimiterOf('x'.repeat(4100), false)).toBeUndefined();
    expect(delimiterOf(`${'word and word, '.repeat(200)}`, false)).toBeUndefined();
  });

  test('is recognized in every encoding', () => {
    const text = 'Stadt;Größe\nZürich;4\nKöln;5\n';
    const utf16be = Buffer.from(text, 'utf16le').swap16();
    const encoded = {
      'utf-8': Buffer.from(text),
      'windows-1252': Buffer.from(text, 'latin1'),
      'utf-16le': Buffer.from(text, 'utf16le'),
      'utf-16be': utf16be,
    };
    for (const [encoding, head] of Object.entries(encoded))
      expect(sniffDelimitedText({ head, isWhole: true })).toMatchObject({ encoding, delimiter: ';', bomBytes: 0 });
    const marked = {
      'utf-8': `\ufeff${text}`,
      'utf-16le': Buffer.from(`\ufeff${text}`, 'utf16le'),
      'utf-16be': Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
    };
    for (const [encoding, bytes] of Object.entries(marked)) {
      expect(sniffDelimitedText({ head: Buffer.from(bytes), isWhole: true })).toMatchObject({
        encoding,
        delimiter: ';',
        bomBytes: encoding === 'utf-8' ? 3 : 2,
      });
    }
  });
});

describe('a text that is not delimited', () => {
  test.each([
    ['a sentence', 'Hello, world.'],
    ['a letter', 'Dear John, how are you?\nI am fine, thanks.\nYours, Ann\n'],
    [
      'verse',
      'I came, I saw, I conquered,\nthen went, then wept, then wondered,\nand slept, and woke, and blundered.\n',
    ],
    [
      'wrapped prose',
      'It was the best of times, it was the worst of times,\nit was the age of wisdom, it was the age of foolishness,\nit was the epoch of belief.\n',
    ],
    ['a line said again and again', 'This is not a picture, whatever its name says.\n'.repeat(40)],
    ['one column', 'name\nAda\nGrace\n'],
    ['one line', 'a,b,c\n'],
    ['HTML', '<!DOCTYPE html>\n<p>a,b\n<p>c,d\n'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg">\n<path d="M1,2"/>\n<path d="M3,4"/>\n</svg>'],
    ['JSON', '{"a":1,"b":2}\n{"a":3,"b":4}\n'],
    ['a JSON array', '[1,2,\n3,4,\n5,6]\n'],
    ['a program', "import { a } from 'a';\nconst b = 1;\nlet c = 2;\n"],
    ['a style sheet', 'color: red;\nwidth: 3px;\n'],
    ['indented text', '\tone\n\ttwo\n\tthree\n'],
    ['a Markdown table', '| a | b |\n| - | - |\n| 1 | 2 |\n'],
    ['a script', '#!/bin/sh\necho a,b\necho c,d\n'],
    ['a PDF', '%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\n'],
    ['nothing', ''],
    ['blank lines', '\n\n\n'],
    ['a list of numbers', '1\n2\n3\n'],
  ])('is %s', (_what, text) => {
    expect(delimiterOf(text)).toBeUndefined();
  });

  test.each([
    ['zero bytes', Buffer.from('a,b\n1,\0\n')],
    ['control characters', Buffer.from('a,b\n1,\u0007\n')],
    ['all kinds of bytes', Buffer.from(Array.from({ length: 4100 }, (_, index) => (index * 7919) % 256))],
  ])('has %s', (_what, head) => {
    expect(delimiterOf(head)).toBeUndefined();
  });

  test('is prose of any words', () => {
    const word = fc.stringMatching(/^[a-zé]{2,9}$/);
    const clause = fc.array(word, { minLength: 3, maxLength: 7 }).map((words) => words.join(' '));
    const sentence = fc.array(clause, { minLength: 1, maxLength: 3 }).map((clauses) => `${clauses.join(', ')}.`);
    const prose = fc.array(sentence, { minLength: 2, maxLength: 12 }).map((sentences) => sentences.join('\n'));
    fc.assert(
      fc.property(prose, (text) => delimiterOf(text) === undefined),
      { numRuns: 300 },
    );
  });

  test('is random bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 300, maxLength: 4100 }),
        (bytes) => delimiterOf(Buffer.from(bytes)) === undefined,
      ),
    );
  });
});
