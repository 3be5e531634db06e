import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { StorageOutage } from '../../../workers/storage-outage.ts';
import { overriding } from '../../helpers/overriding.ts';
import { silentLog } from '../../helpers/record-space.ts';

let isAway: boolean;
let checks: number;
let seen: string[];
let outage: StorageOutage;

beforeEach(() => {
  jest.useFakeTimers();
  [isAway, checks, seen] = [false, 0, []];
  outage = new StorageOutage({
    worker: { pause: () => void seen.push('paused'), resume: () => void seen.push('resumed') },
    check: async () => {
      checks += 1;
      if (isAway) throw new Error('EIO');
    },
    log: overriding(silentLog, {
      warn: (_: object, line?: string) => void seen.push(String(line)),
      info: (line: string) => void seen.push(line),
    }),
  });
});
afterEach(() => {
  outage.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

test('a storage that is away pauses the worker until it is back, with one log line for each', async () => {
  isAway = true;
  expect(await Promise.all([outage.noticed(), outage.noticed()])).toEqual([undefined, undefined]);
  expect([seen, checks, outage.isOn]).toEqual([['storage is away, jobs wait', 'paused'], 1, true]);
  await jest.advanceTimersByTimeAsync(120_000);
  // The checks come after 1, 2, 4, 8 and 16 s, then every 30 s, each a quarter earlier or later.
  expect(checks).toBeGreaterThan(5);
  expect(checks).toBeLessThan(12);
  expect(await outage.noticed()).toBeUndefined();
  isAway = false;
  await jest.advanceTimersByTimeAsync(40_000);
  expect([seen.slice(2), outage.isOn]).toEqual([['storage is back', 'resumed'], false]);
});

test('a fault of an otherwise working storage delays only its upload, with growing pauses', async () => {
  const pauses = [await outage.noticed(), await outage.noticed(), await outage.noticed()];
  expect(pauses.every((ms, index) => Number(ms) >= 750 * 2 ** index && Number(ms) <= 1250 * 2 ** index)).toBe(true);
  outage.worked();
  expect(await outage.noticed()).toBeLessThanOrEqual(1250);
  expect(seen).toEqual([]);
});

test('a check that never answers counts as a storage that is away', async () => {
  const hanging = new StorageOutage({
    worker: { pause: async () => void seen.push('paused'), resume: async () => undefined },
    check: async () => await new Promise<never>(() => undefined),
    log: silentLog,
  });
  const noticed = hanging.noticed();
  await jest.advanceTimersByTimeAsync(10_000);
  expect([await noticed, seen]).toEqual([undefined, ['paused']]);
  hanging.close();
});

test('a worker that closes waits for no check, and does not report that the storage is away', async () => {
  const hanging = new StorageOutage({
    worker: { pause: async () => void seen.push('paused'), resume: async () => undefined },
    check: async () => await new Promise<never>(() => undefined),
    log: overriding(silentLog, { warn: (_: object, line?: string) => void seen.push(String(line)) }),
  });
  const noticed = hanging.noticed();
  hanging.close();
  expect([await noticed, await hanging.noticed(), seen]).toEqual([undefined, undefined, []]);
});
