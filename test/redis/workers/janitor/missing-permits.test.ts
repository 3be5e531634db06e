import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { OTHER_KIND } from '../../../../src/queue/contract.ts';
import { UploadQueue } from '../../../../src/queue/upload-queue.ts';
import { addMissingPermits } from '../../../../workers/janitor/missing-permits.ts';
import { applied, silentLog, STORED, uploadIn } from '../../../helpers/record-space.ts';
import { openJanitorSpace, type JanitorSpace } from '../../../helpers/janitor-space.ts';
import { useSpace } from '../../../helpers/use-space.ts';

let janitor: JanitorSpace;

useSpace('test', openJanitorSpace, (opened) => (janitor = opened));

describe('the search for missing permits', () => {
  let real: UploadQueue;

  beforeEach(() => {
    real = new UploadQueue(janitor.connection, janitor.keys, silentLog);
  });
  afterEach(async () => {
    await real.close();
  });

  async function sweep(): Promise<number> {
    await addMissingPermits({ sets: janitor.sets, queue: real, log: silentLog });
    return (await real.counts()).waiting;
  }

  test('adds as many permits as uploads wait, and no more in later sweeps', async () => {
    for (let upload = 0; upload < 3; upload++) await uploadIn(janitor.records, 'queued');
    expect([await sweep(), await sweep()]).toEqual([3, 3]);
  });

  test('counts a permit that has begun an upload as used', async () => {
    await Promise.all([uploadIn(janitor.records, 'queued'), uploadIn(janitor.records, 'queued')]);
    await real.add(OTHER_KIND);
    await janitor.records.take({ kind: OTHER_KIND, id: '1' });
    expect(await sweep()).toBe(2);
  });

  test('adds no permit for an upload that pauses before its next try until the pause is over', async () => {
    const { id } = await uploadIn(janitor.records, 'processing');
    applied(await janitor.records.requeue(id, 1, { faults: 1, pauseMs: 60_000 }));
    expect(await sweep()).toBe(0);
    expect(
      Number(await janitor.connection.zscore(janitor.keys.waiting, id)) - (await janitor.redisNowMs()),
    ).toBeGreaterThan(30_000);
    await janitor.connection.zincrby(`${janitor.keys.fair}paused:${OTHER_KIND}`, -66_000, id);
    expect(await sweep()).toBe(1);
  });

  test('corrects a number of spare permits that is too high', async () => {
    await janitor.connection.hset(`${janitor.keys.fair}spare`, OTHER_KIND, 5);
    await uploadIn(janitor.records, 'queued');
    await sweep();
    const { id, fencingToken } = await uploadIn(janitor.records, 'receiving');
    expect(applied(await janitor.records.enqueue(id, fencingToken, STORED)).permitFor).toBe(OTHER_KIND);
  });

  test('removes ids from the waiting set whose records do not wait, and adds no permit for them', async () => {
    const [done, unknown] = [await uploadIn(janitor.records, 'completed'), randomUUID()];
    const waiting = await uploadIn(janitor.records, 'queued');
    await janitor.connection.zadd(janitor.keys.waiting, 1, done.id, 2, unknown);
    expect([await sweep(), await janitor.connection.zrange(janitor.keys.waiting, '0', '-1')]).toEqual([
      1,
      [waiting.id],
    ]);
  });

  test('gives a place and a permit to an upload that a process of an older version has queued', async () => {
    const { id } = await uploadIn(janitor.records, 'queued');
    await janitor.connection.del(...(await janitor.connection.keys(`${janitor.keys.fair}*`)));
    await janitor.connection.hdel(janitor.keys.record(id), 'kind');
    expect([await sweep(), (await janitor.records.read(id))?.queuePosition]).toEqual([1, 1]);
    const taken = await janitor.records.take({ kind: OTHER_KIND, id: '1' });
    expect(!taken.nothing && applied(taken.outcome).record?.id).toBe(id);
  });

  test('compares 2000 uploads per sweep in turn, for any length of the queue', async () => {
    const ids = Array.from({ length: 2_500 }, (_, index) => `u-${index}`);
    await janitor.connection.zadd(janitor.keys.waiting, ...ids.flatMap((id, index) => [index, id]));
    await sweep();
    expect(await janitor.connection.zcard(janitor.keys.waiting)).toBe(500);
    await sweep();
    expect(await janitor.connection.exists(janitor.keys.waiting)).toBe(0);
  });
});
