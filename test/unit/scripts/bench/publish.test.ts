import { describe, expect, test } from '@jest/globals';
import { replaceBlock } from '../../../../scripts/bench/lib/publish.ts';

const PAGE =
  'before\n\n<!-- bench: wake -->\n\nold\n\n<!-- end -->\n\nbetween\n\n<!-- bench: hold -->\n<!-- end -->\nafter\n';

describe('the block of a benchmark in the docs', () => {
  test('is replaced as a whole, and nothing else changes', () => {
    expect(replaceBlock(PAGE, 'wake', '$ npm run bench -- wake\n\n1 µs\n')).toBe(
      PAGE.replace('\n\nold\n\n', '\n\n```\n$ npm run bench -- wake\n\n1 µs\n```\n\n'),
    );
  });

  test('may be empty before it is replaced', () => {
    expect(replaceBlock(PAGE, 'hold', 'x')).toContain('<!-- bench: hold -->\n\n```\nx\n```\n\n<!-- end -->\nafter\n');
  });

  test('must be on the page', () => {
    expect(() => replaceBlock(PAGE, 'stack', 'x')).toThrow('docs/benchmarks.md has no block for stack');
  });
});
