import { describe, expect, test } from '@jest/globals';
import { Backlog, type BacklogFigures } from '../../../src/queue/backlog.ts';
import { applied, STORED, newUpload, uploadIn, type RecordSpace } from '../../helpers/record-space.ts';
import { useRecords } from '../../helpers/use-records.ts';

const PERIOD_SECONDS = 5;

let space: RecordSpace;
let backlog: Backlog;

useRecords('test', (opened) => {
  space = opened;
  backlog = new Backlog(space.store, space.keys);
});

async function currentPeriod(): Promise<number> {
  const [seconds] = await space.connection.time();
  return Math.floor(Number(seconds) / PERIOD_SECONDS);
}

/**
 * Returns the figures after the given departures per interval. They are computed again if an interval ends meanwhile.
 */
async function drainedAgo(counts: Readonly<Record<number, number>>): Promise<BacklogFigures> {
  for (;;) {
    const now = await currentPeriod();
    await space.connection.del(space.keys.drained);
    for (const [ago, count] of Object.entries(counts))
      await space.connection.hset(space.keys.drained, String(now - Number(ago)), count);
    const figures = await backlog.read();
    if ((await currentPeriod()) === now) return figures;
  }
}

describe('the drain rate', () => {
  test('is unknown if no upload has left the queue', async () => {
    expect(await backlog.read()).toEqual({ waiting: 0, ofAddress: 0, drainedPerMinute: undefined });
  });

  test('is computed from the last minute, since the first departure in it', async () => {
    expect((await drainedAgo({ 11: 30, 0: 30 })).drainedPerMinute).toBe(60);
    expect((await drainedAgo({ 1: 30, 0: 30 })).drainedPerMinute).toBe(360);
    expect((await drainedAgo({ 0: 1 })).drainedPerMinute).toBe(12);
  });

  test('ignores departures before the last minute', async () => {
    expect((await drainedAgo({ 12: 1000, 0: 2 })).drainedPerMinute).toBe(24);
    expect((await drainedAgo({ 12: 1000 })).drainedPerMinute).toBeUndefined();
  });

  test('is unknown if more uploads were requeued than have left', async () => {
    expect((await drainedAgo({ 1: 2, 0: -3 })).drainedPerMinute).toBeUndefined();
  });

  test('counts uploads that leave the queue in any way, but not requeued ones', async () => {
    const count = async () =>
      (await space.connection.hvals(space.keys.drained)).reduce((sum, value) => sum + Number(value), 0);
    const { records } = space;
    const [begun, cancelled, failed] = [
      await uploadIn(records, 'queued'),
      await uploadIn(records, 'queued'),
      await uploadIn(records, 'queued'),
    ];
    expect(await count()).toBe(0);
    await records.begin(begun.id);
    await records.cancel(cancelled.id);
    await records.fail(failed.id, undefined, { type: 't', title: 't', status: 500, detail: 'd', code: 'c' });
    expect(await count()).toBe(3);
    applied(await records.requeue(begun.id, 1));
    expect(await count()).toBe(2);
    applied(await records.begin(begun.id));
    expect(await count()).toBe(3);
  });

  test('is stored no longer than the period it is computed from', async () => {
    const { id } = await uploadIn(space.records, 'queued');
    const now = await currentPeriod();
    await space.connection.hset(space.keys.drained, String(now - 12), 5, String(now - 13), 5, String(now - 3), 7);
    await space.records.begin(id);
    const kept = await space.connection.hgetall(space.keys.drained);
    expect(kept).toMatchObject({ [String(now - 3)]: '7' });
    expect(Object.keys(kept)).toHaveLength(2);
    expect(await space.connection.ttl(space.keys.drained)).toBeGreaterThan(0);
  });
});

describe('the backlog', () => {
  test('counts all uploads and those of one address', async () => {
    const { records } = space;
    await uploadIn(records, 'queued');
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) {
      const upload = newUpload();
      applied(await records.open(upload));
      applied(
        await records.enqueue(upload.id, upload.fencingToken, STORED, {
          capacity: 9,
          discards: false,
          perAddress: 9,
          address,
        }),
      );
    }
    expect(await backlog.read('192.0.2.1')).toMatchObject({ waiting: 4, ofAddress: 2 });
    expect(await backlog.read('192.0.2.9')).toMatchObject({ waiting: 4, ofAddress: 0 });
    expect(await backlog.read()).toMatchObject({ waiting: 4, ofAddress: 0 });
  });
});
