import { expect, test } from '@jest/globals';
import { chargedMs, ownChargeClock, processorMsOf } from '../../../workers/charged-time.ts';

test.each([
  ['its processor time if the machine let it wait', 1000, 400, 400],
  ['the time that has passed if several threads worked', 1000, 3500, 1000],
  ['a quarter of the time that has passed if it hangs', 1000, 0, 250],
])('a file is charged %s', (_what, passedMs, processorMs, charged) => {
  expect(chargedMs(passedMs, processorMs)).toBe(charged);
});

test('the processor time of a process is read from the system, and is undefined for an ended process', () => {
  const before = process.cpuUsage();
  const clock = ownChargeClock();
  while (process.cpuUsage(before).user < 50_000);
  expect(clock.nowMs()).toBeGreaterThan(0);
  expect(processorMsOf(process.pid)).toBeGreaterThanOrEqual(50);
  expect(processorMsOf(2 ** 30)).toBeUndefined();
});
