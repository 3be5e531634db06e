import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closeConnection } from '../../../src/queue/connection.ts';
import { Cluster } from 'ioredis';
import { setImmediate as turn } from 'node:timers/promises';
import { connectToCluster } from '../../../src/queue/redis-client.ts';
import { eventually } from '../../helpers/eventually.ts';
import { startRedisCluster, type RedisCluster } from '../../helpers/redis-cluster.ts';
import { redisCommand } from '../../helpers/redis-command.ts';

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(async () => {
  await cluster.stop();
});

/** Disconnects as BullMQ does with the blocking connection of a worker. */
async function disconnected(connection: Cluster): Promise<void> {
  const ended = new Promise((resolve) => connection.once('end', resolve));
  connection.disconnect();
  await ended;
}

test('connect rejects if the connection is closed first', async () => {
  const connection = connectToCluster(cluster.place, 'waits').on('error', () => undefined);
  await eventually('it to be ready', () => connection.status === 'ready');
  await disconnected(connection);
  const connected = connection.connect();
  connection.disconnect();
  await expect(connected).rejects.toThrow();
});

test('connect of a duplicate resolves when a missing node is back, while that of ioredis never settles', async () => {
  const connection = connectToCluster(cluster.place, 'waits').on('error', () => undefined);
  const copy = connection.duplicate().on('error', () => undefined);
  const unpatched = Cluster.prototype.duplicate.call(connection).on('error', () => undefined);
  const lost = await cluster.ownerOf('foo');
  const others = cluster.place.nodes
    .filter(({ port }) => !lost.url.endsWith(`:${port}`))
    .map(({ host, port }) => `redis://${host}:${port}`);
  try {
    await eventually('the copies to be ready', () => copy.status === 'ready' && unpatched.status === 'ready');
    await Promise.all([copy, unpatched].map(disconnected));
    await lost.down();
    // Asks every node, because a node that has not noticed the failure yet would report no problem.
    await eventually(
      'all others to miss it',
      async () => {
        const states = await Promise.all(others.map((url) => redisCommand(url, 'CLUSTER', 'INFO')));
        return states.every((state) => String(state).includes('cluster_state:fail'));
      },
      20_000,
    );
    const triedAgain = new Promise((resolve) => copy.once('reconnecting', resolve));
    const connected = copy.connect();
    const neverSettled = unpatched.connect().then(() => 'settled');
    await triedAgain;
    await lost.up();
    await connected;
    expect(await copy.set('foo', 'there')).toBe('OK');
    await eventually('the unpatched copy to be ready', () => unpatched.status === 'ready');
    // If this promise settles, the patch is no longer needed.
    expect(await Promise.race([neverSettled, turn('pending')])).toBe('pending');
  } finally {
    await Promise.all([connection, copy, unpatched].map(closeConnection));
  }
});
