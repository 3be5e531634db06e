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

test('a connection that is closed while it is made says so', async () => {
  const connection = connectToCluster(cluster.place, 'waits').on('error', () => undefined);
  await eventually('it to be ready', () => connection.status === 'ready');
  await disconnected(connection);
  const connected = connection.connect();
  connection.disconnect();
  await expect(connected).rejects.toThrow();
});

test('a copy of a connection that is made anew while a node is away is there when the node is back', async () => {
  const connection = connectToCluster(cluster.place, 'waits').on('error', () => undefined);
  const copy = connection.duplicate().on('error', () => undefined);
  const lost = await cluster.ownerOf('foo');
  const others = cluster.place.nodes
    .filter(({ port }) => !lost.url.endsWith(`:${port}`))
    .map(({ host, port }) => `redis://${host}:${port}`);
  try {
    await eventually('the copy to be ready', () => copy.status === 'ready');
    await disconnected(copy);
    await lost.down();
    // Whichever of them is asked; one that has not noticed yet would say that all is well.
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
    await triedAgain;
    await lost.up();
    await connected;
    expect(await copy.set('foo', 'there')).toBe('OK');
  } finally {
    await Promise.all([connection, copy].map(closeConnection));
  }
});
