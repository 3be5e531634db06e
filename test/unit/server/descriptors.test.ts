import { expect, jest, test } from '@jest/globals';
import { silentLog } from '../../helpers/record-space.ts';
import {
  descriptorLimit,
  limitIn,
  maxConnectionsOf,
  maxHeldOf,
  warnOfFewDescriptors,
} from '../../../src/server/descriptors.ts';

test('the soft limit of open files is read from /proc', () => {
  expect(
    limitIn(
      'Max processes             1 2 processes\nMax open files            1024                 4096                 files\n',
    ),
  ).toBe(1024);
  expect(limitIn('Max open files            unlimited            unlimited            files\n')).toBeUndefined();
  if (process.platform === 'linux') expect(descriptorLimit()).toBeGreaterThan(0);
});

test.each([
  [20_000, 9900],
  [1024, 412],
  [300, 75],
  [1, 1],
])('%d descriptors allow %d connections', (limit, connections) => {
  expect(maxConnectionsOf(limit)).toBe(connections);
});

test('one line is logged if the settings need more descriptors than the limit', () => {
  const warn = jest.fn();
  const log = { ...silentLog, warn };
  const settings = { deferredMaxHeld: 1000, uploadMaxOpen: 100 };
  warnOfFewDescriptors(2400, settings, log);
  expect(warn).not.toHaveBeenCalled();
  warnOfFewDescriptors(2399, settings, log);
  expect(warn.mock.calls).toEqual([[expect.objectContaining({ limit: 2399, needed: 2400 }), expect.any(String)]]);
});

test('an unknown limit does not limit connections', () => {
  expect(maxConnectionsOf(undefined)).toBeUndefined();
});

test.each([
  [20_000, 20_000, 9702],
  [20_000, 5000, 5000],
  [1024, 20_000, 403],
  [1, 20_000, 0],
  [undefined, 20_000, 20_000],
])('%p descriptors and a setting of %d allow %d held responses, so that some connections are left', (...given) => {
  const [limit, setting, held] = given;
  expect(maxHeldOf(limit, setting)).toBe(held);
});
