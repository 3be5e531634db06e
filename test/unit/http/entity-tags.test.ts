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
    ['W/"7-gzip"', 'W/"7"'],
    ['"7--gzip"', 'W/"7"'],
    ['"x", "7;br"', 'W/"7"'],
    ['"a:zstd"', '"a"'],
    ['"a-gzip"', '"a-gzip"'],
  ])('%s matches %s', (header, etag) => {
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
    ['"a-other"', '"a"'],
    ['"a-gzip-b"', '"a"'],
  ])('%s does not match %s', (header, etag) => {
    expect(hasSeen(asking(header), etag)).toBe(false);
  });

  test('is parsed to its tags in order, without their weak marks', () => {
    expect(seenTags('W/"7", "8",, W/"x y", "9')).toEqual(['"7"', '"8"']);
    expect(seenTags('W/"7-gzip"')).toEqual(['"7-gzip"', '"7"']);
    expect(seenTags('*')).toEqual([]);
  });
});

describe('If-Match', () => {
  test.each(['', '*', '"a"', '"b", "a"', 'W/"b","a"'])('%s matches the existing bytes', (header) => {
    expect(isWanted(asking(header, 'If-Match'), '"a"')).toBe(true);
  });

  test.each(['"b"', 'W/"a"', 'a', '"ab"'])('%s does not match the existing bytes', (header) => {
    expect(isWanted(asking(header, 'If-Match'), '"a"')).toBe(false);
  });
});
