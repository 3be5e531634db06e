import { describe, expect, test } from '@jest/globals';
import type { Context } from 'koa';
import { hasSeen, isWanted, seenTags } from '../../../src/http/entity-tags.ts';

const asking = (header: string, asked = 'If-None-Match') =>
  ({ get: (name: string) => (name === asked ? header : '') }) as unknown as Context;

describe('If-None-Match', () => {
  test.each([
    ['"a"', '"a"'],
    ['W/"a"', '"a"'],
    ['"a"', 'W/"a"'],
    ['W/"a"', 'W/"a"'],
    ['*', '"a"'],
    [' * ', '"a"'],
    ['"b", "a"', '"a"'],
    ['"b",W/"a"', '"a"'],
    ['"x,y", "a"', '"x,y"'],
    ['""', '""'],
  ])('%s names %s', (header, etag) => {
    expect(hasSeen(asking(header), etag)).toBe(true);
  });

  test.each([
    ['', '"a"'],
    ['"b"', '"a"'],
    ['a', '"a"'],
    ['"A"', '"a"'],
    ['"a', '"a"'],
    ['"*"', '"a"'],
    ['"ab"', '"a"'],
    ['"b" a', '"a"'],
  ])('%s does not name %s', (header, etag) => {
    expect(hasSeen(asking(header), etag)).toBe(false);
  });

  test('gives its tags in order, their weakness left out', () => {
    expect(seenTags('W/"7", "8",, W/"x y", "9')).toEqual(['"7"', '"8"']);
    expect(seenTags('*')).toEqual([]);
  });
});

describe('If-Match', () => {
  test.each(['', '*', '"a"', '"b", "a"', 'W/"b","a"'])('%s wants the bytes that there are', (header) => {
    expect(isWanted(asking(header, 'If-Match'), '"a"')).toBe(true);
  });

  test.each(['"b"', 'W/"a"', 'a', '"ab"'])('%s wants others', (header) => {
    expect(isWanted(asking(header, 'If-Match'), '"a"')).toBe(false);
  });
});
