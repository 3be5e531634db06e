import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Context } from 'koa';
import { randomUUID } from 'node:crypto';
import { isUploadId, parseVersion, queryParameter, requireUploadId } from '../../../src/http/parameters.ts';

const ID = '0b0c7e4e-6f0b-4c58-9a43-0d5b8f0e6c11';

describe('an upload id', () => {
  test('is a lower-case UUID of version 4', () => {
    fc.assert(fc.property(fc.uuid({ version: 4 }), (id) => expect(requireUploadId(id)).toBe(id)));
    expect(isUploadId(randomUUID())).toBe(true);
  });

  test.each([
    '',
    ID.toUpperCase(),
    ID.replace('-4c58', '-1c58'),
    ID.replace('-9a43', '-ca43'),
    `${ID} `,
    `${ID}\n`,
    ` ${ID}`,
    ID.replaceAll('-', ''),
    `{${ID}}`,
    ID.slice(1),
    `${ID}0`,
    '../../../etc/passwd',
    '00000000-0000-0000-0000-000000000000',
    `${ID}\u0000`,
  ])('rejects %j (400)', (text) => {
    expect(isUploadId(text)).toBe(false);
    expect(() => requireUploadId(text)).toThrow(expect.objectContaining({ code: 'bad_upload_id', status: 400 }));
  });

  test('rejects a missing id (400)', () => {
    expect(() => requireUploadId(undefined)).toThrow(expect.objectContaining({ code: 'bad_upload_id' }));
  });
});

describe('a version', () => {
  test.each([
    ['0', 0],
    ['7', 7],
    ['007', 7],
    ['999999999999999', 999_999_999_999_999],
  ])('reads %s as %d', (text, version) => {
    expect(parseVersion(text)).toBe(version);
  });

  test.each(['', '-1', '+1', '1.0', '1e3', '0x1', ' 1', '9999999999999999', 'abc'])('rejects %j (400)', (text) => {
    expect(() => parseVersion(text)).toThrow(expect.objectContaining({ code: 'bad_since', status: 400 }));
  });

  test('rejects a version that appears twice (400)', () => {
    expect(() => parseVersion(['1', '1'])).toThrow(expect.objectContaining({ code: 'bad_since' }));
  });
});

describe('a query parameter', () => {
  test.each([
    ['a single value', 'since=7&timeout=5', '7'],
    ['a list for a parameter that appears twice', 'since=7&since=8', ['7', '8']],
    ['undefined for a missing parameter', 'timeout=5', undefined],
    ['undefined for the name of an inherited member', '', undefined],
    ['the decoded value', 'since=a%20b+c', 'a b c'],
  ])('returns %s', (_what, querystring, value) => {
    const name = querystring === '' ? 'toString' : 'since';
    expect(queryParameter({ querystring } as Context, name)).toEqual(value);
  });

  test('keeps nothing on the request', () => {
    const ctx = { querystring: 'since=7' };
    queryParameter(ctx as Context, 'since');
    expect(Object.keys(ctx)).toEqual(['querystring']);
  });
});
