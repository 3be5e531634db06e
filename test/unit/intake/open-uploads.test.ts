import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import { OpenUploads } from '../../../src/intake/open-uploads.ts';

/** Makes a body that arrives at this rate, and a list of the codes with which it was ended. */
function upload(bytesPerS?: number) {
  const ended: string[] = [];
  return { bytesPerS, ended, end: (reason: ServiceError) => void ended.push(reason.code) };
}

function refusal(enter: () => unknown): ServiceError | undefined {
  try {
    enter();
    return undefined;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
}

function codeOf(enter: () => unknown): string | undefined {
  return refusal(enter)?.code;
}

describe('open request bodies', () => {
  test('are limited for one address, and a release frees a place', () => {
    const open = new OpenUploads({ maxOpen: 0, maxOpenPerAddress: 2 });
    const leave = open.enter('a', upload(1));
    open.enter('a', upload(1));
    expect(codeOf(() => open.enter('a', upload()))).toBe('too_many_uploads_by_address');
    expect(codeOf(() => open.enter('b', upload()))).toBeUndefined();
    leave();
    expect(codeOf(() => open.enter('a', upload()))).toBeUndefined();
  });

  test('are limited in total, for all addresses', () => {
    const open = new OpenUploads({ maxOpen: 2, maxOpenPerAddress: 0 });
    const leaves = [open.enter('a', upload()), open.enter('b', upload())];
    expect(codeOf(() => open.enter('c', upload()))).toBe('too_many_uploads');
    leaves[0]?.();
    expect(codeOf(() => open.enter('c', upload()))).toBeUndefined();
  });

  test('have no limit if the settings are 0', () => {
    const open = new OpenUploads({ maxOpen: 0, maxOpenPerAddress: 0 });
    for (let count = 0; count < 1000; count += 1) expect(codeOf(() => open.enter('a', upload()))).toBeUndefined();
  });

  test('over the limit are rejected with Retry-After', () => {
    const open = new OpenUploads({ maxOpen: 1, maxOpenPerAddress: 0 });
    open.enter('a', upload());
    const refused = refusal(() => open.enter('b', upload()));
    expect([refused?.status, refused?.retryAfterMs]).toEqual([503, 2000]);
  });
});

describe('a new upload that finds all places taken', () => {
  test('gets the place of the slowest sender', () => {
    const open = new OpenUploads({ maxOpen: 3, maxOpenPerAddress: 0 });
    const [fast, slow, slower] = [upload(9000), upload(20), upload(10)];
    for (const sender of [fast, slow, slower]) open.enter('a', sender);
    open.enter('b', upload());
    open.enter('b', upload());
    expect([fast.ended, slow.ended, slower.ended]).toEqual([[], ['too_many_uploads'], ['too_many_uploads']]);
  });

  test('gets the place of the oldest of equally slow senders', () => {
    const open = new OpenUploads({ maxOpen: 2, maxOpenPerAddress: 0 });
    const [older, younger] = [upload(0), upload(0)];
    for (const sender of [older, younger]) open.enter('a', sender);
    open.enter('b', upload());
    expect([older.ended.length, younger.ended.length]).toEqual([1, 0]);
  });

  test('is rejected if every sender is fast or new', () => {
    const open = new OpenUploads({ maxOpen: 2, maxOpenPerAddress: 0 });
    const [fast, fresh] = [upload(16 * 1024), upload()];
    for (const sender of [fast, fresh]) open.enter('a', sender);
    expect(codeOf(() => open.enter('b', upload()))).toBe('too_many_uploads');
    expect([fast.ended, fresh.ended]).toEqual([[], []]);
  });

  test('leaves the count correct after the evicted sender has left', () => {
    const open = new OpenUploads({ maxOpen: 1, maxOpenPerAddress: 1 });
    const leaveSlow = open.enter('a', upload(0));
    open.enter('b', upload());
    leaveSlow();
    expect(codeOf(() => open.enter('a', upload()))).toBe('too_many_uploads');
    expect(codeOf(() => open.enter('b', upload()))).toBe('too_many_uploads_by_address');
  });
});
