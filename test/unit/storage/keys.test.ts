import { describe, expect, test } from '@jest/globals';
import { attemptPrefix, manifestKey, originalKey, uploadPrefix, variantKey } from '../../../src/storage/keys.ts';

const ID = '0a1b2c3d-0000-4000-8000-000000000000';

describe('the keys of an upload', () => {
  const keys = [originalKey(ID, 'r1'), manifestKey(ID, 'r1'), variantKey(ID, 2, '160', 'jpeg')];

  test('all lie below its prefix, which holds its id', () => {
    expect(uploadPrefix(ID)).toBe(`0a/${ID}`);
    for (const key of keys) expect(key.startsWith(`${uploadPrefix(ID)}/`)).toBe(true);
  });

  test('are made of the characters that every driver takes', () => {
    for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9._/-]+$/);
  });

  test('differ between receipts and between attempts, so that nobody writes over another', () => {
    expect(originalKey(ID, 'r1')).not.toBe(originalKey(ID, 'r2'));
    expect(manifestKey(ID, 'r1')).not.toBe(manifestKey(ID, 'r2'));
    expect(variantKey(ID, 1, '160', 'jpeg')).not.toBe(variantKey(ID, 2, '160', 'jpeg'));
  });

  test('those of one attempt lie below its prefix, and below no other', () => {
    expect(variantKey(ID, 1, '160', 'jpeg').startsWith(`${attemptPrefix(ID, 1)}/`)).toBe(true);
    expect(variantKey(ID, 12, '160', 'jpeg').startsWith(`${attemptPrefix(ID, 1)}/`)).toBe(false);
  });
});
