import '../helpers/one-realm.ts';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { JanitorLease } from '../../workers/janitor/janitor-lease.ts';
import { eventually } from '../helpers/eventually.ts';
import { openRecordSpace, type RecordSpace } from '../helpers/record-space.ts';
import { startRedisServer, type RedisServer } from '../helpers/redis-server.ts';

let redis: RedisServer;
let space: RecordSpace;

beforeAll(async () => {
  redis = await startRedisServer();
  space = await openRecordSpace(redis.url);
});
afterAll(async () => {
  await space.close();
  await redis.stop();
});

function leases(key: string): [JanitorLease, JanitorLease] {
  return [new JanitorLease(space.connection, key), new JanitorLease(space.connection, key)];
}

test('only one of two workers holds the lease', async () => {
  const [first, second] = leases(`${space.keys.janitor}:1`);
  expect([await first.take(60_000), await second.take(60_000), await second.renew(60_000)]).toEqual([
    true,
    false,
    false,
  ]);
});

test('the lease of a dead holder goes to the next worker that asks', async () => {
  const [first, second] = leases(`${space.keys.janitor}:2`);
  expect(await first.take(50)).toBe(true);
  await eventually('the second worker to hold the lease', async () => await second.take(60_000));
  expect(await first.renew(60_000)).toBe(false);
});

test('a lease that Redis has lost is renewed if no other worker has taken it', async () => {
  const key = `${space.keys.janitor}:3`;
  const [first] = leases(key);
  expect(await first.take(60_000)).toBe(true);
  await space.connection.del(key);
  expect(await first.renew(60_000)).toBe(true);
});
