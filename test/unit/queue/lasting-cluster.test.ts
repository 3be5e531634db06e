import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closeConnection } from '../../../src/queue/connection.ts';
import { connectToCluster, type Cluster } from '../../../src/queue/redis-client.ts';
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

/** As BullMQ does it with the connection that a worker waits on. */
async function disconnected(connection: Cluster): Promise<void> {
  const ended = new Promise((resolve) => connection.once('end', resolve));
  connection.disconnect();
  await ended;
}

test('a copy of a connection that is made anew while a node is away is there when the node is back', async () => {
  const connection = connectToCluster(cluster.place, 'waits').on('error', () => undefined);
  const copy = connection.duplicate().on('error', () => undefined);
  const [lost, other] = [await cluster.ownerOf('foo'), await cluster.ownerOf('bar')];
  try {
    await eventually('the copy to be ready', () => copy.status === 'ready');
    await disconnected(copy);
    await lost.down();
    await eventually('the others to miss it', async () => String(await redisCommand(other.url, 'CLUSTER', 'INFO')).includes('cluster_state:fail'));
    const connected = copy.connect();
    await eventually('it to be tried again', () => copy.status === 'reconnecting');
    await lost.up();
    await connected;
    expect(await copy.set('foo', 'there')).toBe('OK');
  } finally {
    await Promise.all([connection, copy].map(closeConnection));
  }
});

test('one that is closed meanwhile says so', async () => {
  const connection = connectToCluster(cluster.place, 'waits').on('error', () => undefined);
  await eventually('it to be ready', () => connection.status === 'ready');
  await disconnected(connection);
  const connected = connection.connect();
  connection.disconnect();
  await expect(connected).rejects.toThrow();
});
