import { describe, expect, test } from '@jest/globals';
import type { Context } from 'koa';
import { hasSeen, seenTags } from '../../../src/http/entity-tags.ts';

const asking = (header: string) => ({ get: (name: string) => (name === 'If-None-Match' ? header : '') }) as unknown as Context;

describe('If-None-Match', () => {
  test.each([
    ['"a"', '"a"'], ['W/"a"', '"a"'], ['"a"', 'W/"a"'], ['W/"a"', 'W/"a"'], ['*', '"a"'], [' * ', '"a"'],
    ['"b", "a"', '"a"'], ['"b",W/"a"', '"a"'], ['"x,y", "a"', '"x,y"'], ['""', '""'],
  ])('%s names %s', (header, etag) => {
    expect(hasSeen(asking(header), etag)).toBe(true);
  });

  test.each([['', '"a"'], ['"b"', '"a"'], ['a', '"a"'], ['"A"', '"a"'], ['"a', '"a"'], ['"*"', '"a"'], ['"ab"', '"a"'], ['"b" a', '"a"']])('%s does not name %s', (header, etag) => {
    expect(hasSeen(asking(header), etag)).toBe(false);
  });

  test('gives its tags in order, their weakness left out', () => {
    expect(seenTags('W/"7", "8",, W/"x y", "9')).toEqual(['"7"', '"8"']);
    expect(seenTags('*')).toEqual([]);
  });
});
