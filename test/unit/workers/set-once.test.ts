import { describe, expect, test } from '@jest/globals';
import { setOnce } from '../../../workers/set-once.ts';

describe('setOnce', () => {
  test('returns the value on every read', () => {
    const size = setOnce<number>('size');
    size.set(3);
    expect([size.get(), size.get()]).toEqual([3, 3]);
  });

  test('throws an error with its name if it is read before it is set', () => {
    expect(() => setOnce('size').get()).toThrow('value size is read before it is set');
  });

  test('throws if it is set twice, even if the first value was undefined', () => {
    const size = setOnce<undefined>('size');
    size.set(undefined);
    expect(() => size.set(undefined)).toThrow('value size is set twice');
    expect(size.get()).toBeUndefined();
  });

  test('returns the fallback of orElse only while no value is set', () => {
    const size = setOnce<number>('size');
    expect(size.orElse(1)).toBe(1);
    size.set(2);
    expect(size.orElse(1)).toBe(2);
  });
});
