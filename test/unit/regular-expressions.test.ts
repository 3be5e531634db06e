import { describe, expect, test } from '@jest/globals';
import { constructedPatternsIn, patternsIn, superlinearText } from '../helpers/regular-expressions.ts';
import { readSources } from '../helpers/source-tree.ts';

const files = readSources('src', 'workers');

describe('regular expressions of the code', () => {
  const constructed = constructedPatternsIn(files);
  const literals = patternsIn(files);
  const patterns = [...literals, ...constructed.filter((pattern) => pattern !== undefined)];

  test('are all found by this test', () => {
    const written = files.reduce(
      (sum, { text }) => sum + text.split(/[=(:,]\s*\/[^/*\s][^\n]*\/[dgimsuvy]*[.,;)]/).length - 1,
      0,
    );
    expect(literals.length).toBeGreaterThan(0.8 * written);
    expect(literals.length).toBeGreaterThan(40);
  });

  test.each(patterns.map((pattern) => [pattern.path, `/${pattern.source}/${pattern.flags}`, pattern] as const))(
    'need linear time (%s: %s)',
    (_path, _source, pattern) => {
      expect(superlinearText(pattern)).toBeUndefined();
    },
  );

  test('that are built from a string have the string as a literal in the call', () => {
    expect(constructed.includes(undefined)).toBe(false);
  });

  test.each([
    ['^<!DOCTYPE[^<>]*\\[[^\\]]*\\]', ''],
    ['"[^"]*"|\\\\.|_.|\\*.|\\[(?!(?:h+|m+|s+)\\])[^\\]]*\\]', 'gi'],
    ['^(a+)+$', ''],
    ['\\s+$', ''],
    ['<style>.*?<\\/style>', 'gs'],
  ])('of more than linear time are detected: %s', (source, flags) => {
    expect(superlinearText({ path: '', source, flags })).toBeDefined();
  });
});
