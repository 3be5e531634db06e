import { expect, test } from '@jest/globals';
import { descriptorLimit, limitIn, maxConnectionsOf } from '../../../src/server/descriptors.ts';

test('the soft limit of open files is read from the limits of the process', () => {
  expect(
    limitIn(
      'Max processes             1 2 processes\nMax open files            1024                 4096                 files\n',
    ),
  ).toBe(1024);
  expect(limitIn('Max open files            unlimited            unlimited            files\n')).toBeUndefined();
  if (process.platform === 'linux') expect(descriptorLimit()).toBeGreaterThan(0);
});

test.each([
  [20_000, 1000, 18_800],
  [1024, 1000, 512],
  [400, 100, 200],
  [3, 1000, 2],
])('of %d descriptors with %d uploads at once, %d are left for connections', (limit, maxOpenUploads, connections) => {
  expect(maxConnectionsOf(limit, { maxOpenUploads })).toBe(connections);
});

test('an unknown limit leaves connections without one', () => {
  expect(maxConnectionsOf(undefined, { maxOpenUploads: 1 })).toBeUndefined();
});
