import { describe, expect, test } from '@jest/globals';
import { openCaller, type Caller } from '../../../src/access/caller.ts';
import { withMetadata } from '../../../src/intake/metadata.ts';

const KEY: Caller = { ...openCaller, via: 'key', tenant: 'acme', keyId: 'k1' };

const read = (json: string | undefined, caller = KEY) => withMetadata(caller, json, 'The field "metadata"').metadata;

/** Returns `{"a":{"a":…}}` with this number of objects. */
const nested = (levels: number): string => '{"a":'.repeat(levels - 1) + '{}' + '}'.repeat(levels - 1);

describe('the metadata of a request', () => {
  test('is any object of JSON', () => {
    expect(read('{ "order": 7, "tags": [], "more": { "a": null } }')).toEqual({
      order: 7,
      tags: [],
      more: { a: null },
    });
    expect(read('{}')).toEqual({});
    expect(read(nested(8))).toEqual(JSON.parse(nested(8)));
    expect(read(JSON.stringify({ a: 'x'.repeat(4088) }))?.['a']).toHaveLength(4088);
  });

  test.each([
    ['no JSON', '{', 'is not JSON'],
    ['a list', '[]', 'must be an object'],
    ['null', 'null', 'must be an object'],
    ['a text', '"a"', 'must be an object'],
    ['too many levels', nested(9), 'must have at most 8 levels'],
    ['very many levels', '['.repeat(8000), 'is not JSON'],
    ['too many bytes', JSON.stringify({ a: 'x'.repeat(4089) }), 'must have at most 4096 bytes'],
    ['too many bytes of long characters', JSON.stringify({ a: 'é'.repeat(2045) }), 'must have at most 4096 bytes'],
    ['far too many bytes', JSON.stringify({ a: 'x'.repeat(9000) }), 'has more than 4096 bytes'],
    ['a prototype', '{"a":{"__proto__":{"x":1}}}', 'must have no member __proto__'],
    ['a constructor', '{"constructor":1}', 'must have no member constructor'],
    ['a member prototype', '{"a":[{"prototype":1}]}', 'must have no member prototype'],
  ])('is rejected if it is or has %s', (_name, json, reason) => {
    expect(() => read(json)).toThrow(expect.objectContaining({ code: 'bad_metadata', status: 400 }));
    expect(() => read(json)).toThrow(`The field "metadata" ${reason}`);
  });

  test('is ignored in open mode and with a ticket, whose metadata comes from the application', () => {
    const ticket: Caller = { ...KEY, via: 'ticket', metadata: { order: 7 } };
    expect(read('no JSON', ticket)).toEqual({ order: 7 });
    expect(read('no JSON', openCaller)).toBeUndefined();
    expect(read(undefined)).toBeUndefined();
  });
});
