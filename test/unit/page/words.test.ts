import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ERROR_CODES } from '../../../src/errors.ts';
import { chinese } from '../../../src/page/words-chinese.ts';
import { english } from '../../../src/page/words-english.ts';
import { german } from '../../../src/page/words-german.ts';
import { spanish } from '../../../src/page/words-spanish.ts';
import { wordsFor } from '../../../src/page/words-for.ts';
import type { Words } from '../../../src/page/words.ts';
import { problem } from '../client/documents.ts';

const LANGUAGES = [english, chinese, german, spanish];

test.each([
  [['en-US', 'zh-CN'], english],
  [['fr-FR', 'zh-CN', 'en'], chinese],
  [['zh-Hans-SG'], chinese],
  [['de-CH', 'fr'], german],
  [['es-MX', 'en'], spanish],
  [['zh-TW'], english],
  [['zh-Hant-HK'], english],
  [['fr'], english],
  [[], english],
])('a user with the languages %j gets the right texts', async (languages, words) => {
  expect(await wordsFor(languages)).toBe(words);
});

/** Lists the path and the placeholders of every text of a language. */
function messagesOf(words: unknown, path = ''): [path: string, placeholders: string][] {
  if (typeof words === 'string') return [[path, '']];
  if (typeof words === 'function') return [[path, placeholdersOf(words as (...values: unknown[]) => unknown)]];
  if (typeof words !== 'object' || words === null) throw new TypeError(`${path} is no message`);
  return Object.entries(words).flatMap(([key, value]) => messagesOf(value, path === '' ? key : `${path}.${key}`));
}

/** Calls the text with marks and returns the marks in it. 1 and null have their own texts, so marks start at 101. */
function placeholdersOf(message: (...values: unknown[]) => unknown): string {
  const marks = Array.from({ length: message.length }, (_, index) => 101 + index);
  const text = String(message(...marks));
  return marks.map((mark, index) => (text.includes(String(mark)) ? `{${index}}` : '-')).join('');
}

test.each([chinese, german, spanish])('$locale has the same texts with the same placeholders as English', (words) => {
  // These select the text by a code.
  const lookups = { step: '-', problem: '-', refused: '-', 'table.error': '-', 'table.warning': '-' };
  const messages = (of: Words): object => ({ ...Object.fromEntries(messagesOf(of)), ...lookups });
  expect(messages(words)).toEqual(messages(english));
});

test('every error code and every step has a text', () => {
  for (const words of LANGUAGES) {
    for (const code of ERROR_CODES) expect(words.problem(problem(code, 500, ''))).not.toBe('');
    for (const step of [
      'inspect',
      'decode',
      'orient',
      'variants',
      'thumbhash',
      'fingerprint',
      'colour',
      'a step of tomorrow',
    ])
      expect(words.step(step)).not.toBe('');
  }
});

test('an unknown file is called unreadable, because it may contain a picture of an unsupported type', () => {
  const texts = LANGUAGES.map((words) => words.problem(problem('unsupported_media_type', 415, '')));
  const reading = [/can be read here/, /可以读取/, /lassen sich hier .* lesen/, /no se puede leer/];
  texts.forEach((text, at) => expect(text).toMatch(reading[at] ?? ''));
});

test('the texts of index.html equal the English texts', () => {
  const html = readFileSync('src/page/index.html', 'utf8');
  const said = [...html.matchAll(/<[^>]* data-words="([^"]+)"[^>]*>([^<]*)/g)].map(([tag, key = '', text = '']) => [
    key,
    /aria-label="([^"]*)"/.exec(tag)?.[1] ?? text,
  ]);
  expect(Object.fromEntries(said)).toEqual(english.page);
});

test('no text is in the other language', () => {
  const hasHan = (words: Words): string[] =>
    messagesOf(words.page)
      .map(([key]) => words.page[key as keyof Words['page']])
      .filter((text) => /\p{Script=Han}/u.test(text));
  for (const words of [english, german, spanish]) expect(hasHan(words)).toEqual([]);
  expect(hasHan(chinese)).toHaveLength(Object.keys(chinese.page).length);
});
