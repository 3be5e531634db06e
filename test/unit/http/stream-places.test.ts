import { expect, test } from '@jest/globals';
import { StreamPlaces } from '../../../src/http/stream-places.ts';

test('more than ten event streams of one upload from one address are rejected (429)', () => {
  const places = new StreamPlaces();
  const releases = Array.from({ length: 10 }, () => places.enter('192.0.2.1', 'a'));
  expect(() => places.enter('192.0.2.1', 'a')).toThrow('Your address already has 10 event streams');
  releases.push(places.enter('192.0.2.1', 'b'), places.enter('192.0.2.2', 'a'));
  releases[0]?.();
  releases[0]?.();
  releases.push(places.enter('192.0.2.1', 'a'));
  expect(() => places.enter('192.0.2.1', 'a')).toThrow();
  for (const release of releases) release();
  expect(places.size).toBe(0);
});
