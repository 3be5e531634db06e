import { expect, test } from '@jest/globals';
import { ERROR_CODES } from '../../../src/errors.ts';
import { picturesAmong } from '../../../src/web/page/dropped-files.ts';
import { readOpenUploads, writeOpenUploads } from '../../../src/web/page/open-uploads.ts';
import { chinese } from '../../../src/web/page/words-chinese.ts';
import { english } from '../../../src/web/page/words-english.ts';
import { wordsFor } from '../../../src/web/page/words-for.ts';
import { problem } from './documents.ts';

test.each([
  [['en-US', 'zh-CN'], english],
  [['fr-FR', 'zh-CN', 'en'], chinese],
  [['zh-Hans-SG'], chinese],
  [['zh-TW'], english],
  [['zh-Hant-HK'], english],
  [['fr'], english],
  [[], english],
])('%j is spoken to in its language', (languages, words) => {
  expect(wordsFor(languages)).toBe(words);
});

test('every problem has words, in both languages', () => {
  for (const code of ERROR_CODES) {
    for (const words of [english, chinese]) expect(words.problem(problem(code, 500, ''))).not.toBe('');
  }
});

test('what is kept over a reload is read again, and nothing else', () => {
  const store = new Map<string, string>();
  const storage = () => ({ getItem: (key: string) => store.get(key) ?? null, setItem: (key: string, value: string) => void store.set(key, value) });
  const open = { id: '11111111-1111-4111-8111-111111111111', name: 'photo.jpg', sizeBytes: 5 };
  expect(readOpenUploads(storage)).toEqual([]);
  writeOpenUploads(storage, [open]);
  expect(readOpenUploads(storage)).toEqual([open]);
  const [key] = store.keys();
  for (const junk of ['{', '{}', '[{"id":"../x","name":"a","sizeBytes":1}]', '[null]']) {
    store.set(key ?? '', junk);
    expect(readOpenUploads(storage)).toEqual([]);
  }
});

test('a browser that keeps nothing is no fault', () => {
  const storage = (): Storage => {
    throw new DOMException('denied', 'SecurityError');
  };
  expect(readOpenUploads(storage)).toEqual([]);
  expect(() => writeOpenUploads(storage, [])).not.toThrow();
});

test('of a folder only pictures are taken', () => {
  const files = [new File([], 'a.jpg', { type: 'image/jpeg' }), new File([], 'b.TIFF'), new File([], '.DS_Store'), new File([], 'c.txt', { type: 'text/plain' })];
  expect(picturesAmong(files).map((file) => file.name)).toEqual(['a.jpg', 'b.TIFF']);
});
