import { describe, expect, test } from '@jest/globals';
import { constructedPatternsIn, patternsIn, superlinearText } from '../helpers/regular-expressions.ts';
import { readSources } from '../helpers/source-tree.ts';

const files = readSources('src', 'workers');

describe('regular expressions', () => {
  const patterns = patternsIn(files);

  test('are all found', () => {
    const written = files.reduce(
      (sum, { text }) => sum + text.split(/[=(:,]\s*\/[^/*\s][^\n]*\/[dgimsuvy]*[.,;)]/).length - 1,
      0,
    );
    expect(patterns.length).toBeGreaterThan(0.8 * written);
    expect(patterns.length).toBeGreaterThan(40);
  });

  test.each(patterns.map((pattern) => [pattern.path, `/${pattern.source}/${pattern.flags}`, pattern] as const))(
    'of %s need linear time: %s',
    (_path, _source, pattern) => {
      expect(superlinearText(pattern)).toBeUndefined();
    },
  );

  test('that are made of strings are few and known', () => {
    expect(constructedPatternsIn(files).sort((a, b) => (a < b ? -1 : 1))).toEqual([
      // Reads what Redis says of itself, by names that stand in the code.
      "src/queue/redis-check.ts: new RegExp(`^${name}:(.*?)\\\\r?$`, 'm')",
      // Keys of ours, made of parts of a fixed length.
      'src/storage/keys.ts: new RegExp(`^(${UUID})\\\\.manifest\\\\.json$`)',
      'src/storage/keys.ts: new RegExp(`^(${UUID})\\\\.original$`)',
      'src/storage/keys.ts: new RegExp(`^([0-9a-f]{2})(/\\\\1${ID_TAIL}(/parts|/attempt-\\\\d{1,16})?)?$`)',
      'src/storage/keys.ts: new RegExp(`^([0-9a-f]{2})/(\\\\1${ID_TAIL})/(.+)$`)',
    ]);
  });

  test.each([
    ['^<!DOCTYPE[^<>]*\\[[^\\]]*\\]', ''],
    ['"[^"]*"|\\\\.|_.|\\*.|\\[(?!(?:h+|m+|s+)\\])[^\\]]*\\]', 'gi'],
    ['^(a+)+$', ''],
    ['\\s+$', ''],
    ['<style>.*?<\\/style>', 'gs'],
  ])('of more than linear time do not pass: %s', (source, flags) => {
    expect(superlinearText({ path: '', source, flags })).toBeDefined();
  });
});
