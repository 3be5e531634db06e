import { expect, test } from '@jest/globals';
import { createSlot } from '../../../workers/slot.ts';

test('a slot gives what was set, as often as asked', () => {
  const slot = createSlot<number>('size');
  slot.set(3);
  expect([slot.get(), slot.get()]).toEqual([3, 3]);
});

test('a slot read before it is set names itself', () => {
  expect(() => createSlot('size').get()).toThrow('slot size is read before it is set');
});

test('a slot is set once, even where the value is undefined', () => {
  const slot = createSlot<undefined>('size');
  slot.set(undefined);
  expect(() => slot.set(undefined)).toThrow('slot size is set twice');
  expect(slot.get()).toBeUndefined();
});

test('gives another value while it has none', () => {
  const slot = createSlot<number>('size');
  expect(slot.orElse(1)).toBe(1);
  slot.set(2);
  expect(slot.orElse(1)).toBe(2);
});
