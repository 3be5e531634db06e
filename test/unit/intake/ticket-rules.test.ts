import { describe, expect, test } from '@jest/globals';
import { openCaller, type AllowedFile, type Caller } from '../../../src/access/caller.ts';
import { createKinds } from '../../../src/kinds/kinds.ts';
import { acceptFile } from '../../../src/intake/receive.ts';
import { byteLimit, optionsFor, requireAllowedHint, requireAllowedType } from '../../../src/intake/ticket-rules.ts';

function allowing(more: Partial<AllowedFile>): AllowedFile {
  return { maxFileBytes: undefined, types: undefined, preset: undefined, ...more };
}

const FORBIDDEN = expect.objectContaining({ code: 'ticket_forbids', status: 403 });

describe('the types of a ticket', () => {
  test.each([
    [['image/*'], 'image/png'],
    [['text/csv', 'image/png'], 'image/png'],
    [undefined, 'image/png'],
  ])('%j allow %s', (types, type) => {
    expect(() => requireAllowedType(type, allowing({ types }))).not.toThrow();
  });

  test.each([
    [['image/*'], 'text/csv'],
    [['image/*'], 'imagery/png'],
    [['image/jpeg'], 'image/png'],
    [['image/jpe'], 'image/jpeg'],
  ])('%j forbid %s', (types, type) => {
    expect(() => requireAllowedType(type, allowing({ types }))).toThrow(FORBIDDEN);
  });

  test('allow every type with */*', () => {
    expect(() => requireAllowedType('text/csv', allowing({ types: ['*/*'] }))).not.toThrow();
  });

  test.each([
    ['image/*', 'text/csv; charset=utf-8'],
    ['image/*', 'application/pdf'],
    ['text/csv', 'image/png'],
  ])('forbid a file by its header: %s for %s', (pattern, named) => {
    expect(() => requireAllowedHint(named, allowing({ types: [pattern] }))).toThrow(FORBIDDEN);
  });

  test.each([
    ['image/*', undefined],
    ['image/*', ''],
    ['image/*', 'application/octet-stream'],
    ['image/*', 'application/x-www-form-urlencoded'],
    ['image/*', 'text/plain'],
    ['image/jpeg', 'image/jpg'],
    ['text/csv', 'application/vnd.ms-excel'],
    ['text/csv', 'nonsense'],
    ['*/*', 'application/pdf'],
  ])('need the bytes of a file if its header proves nothing: %s for %s', (pattern, named) => {
    expect(() => requireAllowedHint(named, allowing({ types: [pattern] }))).not.toThrow();
  });
});

describe('the size of a ticket', () => {
  test('is the limit if it is below that of the service', () => {
    expect(byteLimit(100, allowing({ maxFileBytes: 10 })).maxBytes).toBe(10);
    expect(byteLimit(100, allowing({ maxFileBytes: 10 })).tooLarge()).toEqual(FORBIDDEN);
  });

  test.each([[{}], [{ maxFileBytes: 100 }], [{ maxFileBytes: 1000 }]])('is not the limit with %j', (more) => {
    expect(byteLimit(100, allowing(more)).maxBytes).toBe(100);
    expect(byteLimit(100, allowing(more)).tooLarge()).toMatchObject({ code: 'file_too_large' });
  });
});

describe('the preset of a ticket', () => {
  const ticket: NonNullable<Caller['ticket']> = {
    ...allowing({ preset: 'avatar' }),
    jti: undefined,
    expiresAtMs: 0,
    maxFiles: undefined,
    options: { variants: [] },
  };

  test('fixes the options', () => {
    expect(optionsFor({ ticket }, undefined)).toEqual({ variants: [] });
    expect(optionsFor(openCaller, undefined)).toEqual({});
    expect(optionsFor(openCaller, { a: 1 })).toEqual({ a: 1 });
  });

  test.each([{}, { variants: [] }])('forbids the options %j of the client', (sent) => {
    expect(() => optionsFor({ ticket }, sent)).toThrow(FORBIDDEN);
  });

  test('forbids a file of another kind', async () => {
    const csv = Buffer.from('a,b\n1,2\n3,4\n');
    const kinds = createKinds();
    await expect(acceptFile(kinds, csv, { variants: [] }, allowing({ preset: 'avatar' }))).rejects.toThrow(FORBIDDEN);
    await expect(acceptFile(kinds, csv, { variants: [] })).rejects.toMatchObject({ code: 'bad_options' });
  });
});

describe('the bytes of a file', () => {
  test.each([
    ['a table', Buffer.from('a,b\n1,2\n3,4\n')],
    ['plain text', Buffer.from('Dear Sir,')],
    ['a PDF', Buffer.from('%PDF-1.7\n')],
  ])('decide whether the ticket allows it: %s is no picture', async (_, bytes) => {
    await expect(acceptFile(createKinds(), bytes, {}, allowing({ types: ['image/*'] }))).rejects.toThrow(FORBIDDEN);
  });
});
