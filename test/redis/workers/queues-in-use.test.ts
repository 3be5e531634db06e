import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Worker } from 'bullmq';
import { closeConnection, openWaitingConnection, type Redis } from '../../../src/queue/connection.ts';
import { queueNameOf } from '../../../src/queue/contract.ts';
import { UploadQueue } from '../../../src/queue/upload-queue.ts';
import { queuesInUse } from '../../../workers/queues-in-use.ts';
import { openRecordSpace, silentLog, type RecordSpace } from '../../helpers/record-space.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';

let space: RecordSpace;
let connection: Redis;
let queue: UploadQueue;
let pictures: Worker;
let tables: Worker;

beforeEach(async () => {
  space = await openRecordSpace(await sharedRedis());
  connection = openWaitingConnection(await sharedRedis(), silentLog);
  queue = new UploadQueue(connection, space.keys, silentLog);
  const open = (kind: string): Worker =>
    new Worker(queueNameOf(kind), null, { connection, prefix: space.keys.bullPrefix, drainDelay: 600 });
  [pictures, tables] = [open('picture'), open('table')];
});
afterEach(async () => {
  await Promise.all([pictures.close(true), tables.close(true)]);
  await queue.close();
  await closeConnection(connection);
  await space.close();
});

describe('the read of all queues of a worker', () => {
  test('returns no queue while none has a job', async () => {
    expect(await queuesInUse(connection, [pictures, tables])).toEqual([]);
    expect(await connection.exists(pictures.toKey('marker'), tables.toKey('marker'))).toBe(0);
  });

  test('returns the queues with a job in use', async () => {
    await queue.add('table');
    await queue.add('picture');
    await tables.getNextJob('token', { block: false });
    expect(await queuesInUse(connection, [pictures, tables])).toEqual([tables]);
  });

  test.each([
    ['waits', 'wait', (key: string) => ['lpush', key, '1']],
    ['is due', 'delayed', (key: string) => ['zadd', key, '1', '1']],
  ])('ends a blocking read if a job %s whose marker was taken by a worker that died', async (_, type, put) => {
    expect(await tables.getNextJob('token', { block: false })).toBeUndefined();
    const waiting = tables.getNextJob('token', { block: true });
    // Nobody adds a marker for this job.
    await connection.hset(tables.toKey('1'), { name: 'digest', data: '{}', opts: '{}', timestamp: Date.now() });
    await connection.pipeline([put(tables.toKey(type))]).exec();
    expect(await queuesInUse(connection, [pictures, tables])).toEqual([]);
    expect((await waiting)?.id).toBe('1');
  });
});
