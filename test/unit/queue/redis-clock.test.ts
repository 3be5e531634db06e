import { expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { RedisClock } from '../../../src/queue/redis-clock.ts';
import type { Redis } from '../../../src/queue/connection.ts';
import { silentLog } from '../../helpers/record-space.ts';

/**
 * Makes the clock of a Redis that is `aheadMs` ahead of this machine. If that is undefined, Redis answers with an
 * error.
 */
function clockOf(aheadMs: () => number | undefined): RedisClock {
  const connection = {
    status: 'ready',
    on: () => undefined,
    off: () => undefined,
    eval: async () => {
      const ahead = aheadMs();
      if (ahead === undefined) throw new Error('away');
      // A server reads its clock within the round trip, and not at its first moment.
      await turn();
      const nowMs = performance.timeOrigin + performance.now() + ahead;
      return [String(Math.floor(nowMs / 1000)), String(Math.floor((nowMs % 1000) * 1000))];
    },
  };
  return new RedisClock(connection as unknown as Redis, 'key', silentLog);
}

const localMs = () => performance.timeOrigin + performance.now();

test.each([-600_000, 600_000])('follows a Redis whose clock differs by %i ms', async (aheadMs) => {
  const clock = clockOf(() => aheadMs);
  await clock.measure();
  expect(Math.abs(clock.nowMs() - localMs() - aheadMs)).toBeLessThan(60_000);
});

test('keeps the clock of this machine if the round trip explains the difference', async () => {
  const clock = clockOf(() => 0);
  for (let times = 0; times < 20; times++) await clock.measure();
  const beforeMs = localMs();
  const nowMs = clock.nowMs();
  expect([nowMs >= beforeMs, nowMs <= localMs()]).toEqual([true, true]);
});

test('keeps the last difference while Redis does not answer', async () => {
  let aheadMs: number | undefined = 600_000;
  const clock = clockOf(() => aheadMs);
  await clock.measure();
  aheadMs = undefined;
  await clock.measure();
  expect(Math.abs(clock.nowMs() - localMs() - 600_000)).toBeLessThan(60_000);
});
