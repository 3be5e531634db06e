import { expect, test } from '@jest/globals';
import { connectToServer } from '../../../src/queue/redis-client.ts';
import { blockSeconds } from '../../../workers/worker-timing.ts';

test.each([
  ['a minute over a unix socket, which does not die silently', '/nowhere/redis.sock', 60],
  ['8 seconds over the network', 'redis://127.0.0.1:1', 8],
])('a blocking read lasts %s', (_, place, seconds) => {
  const connection = connectToServer(place, 'waits');
  connection.on('error', () => undefined);
  expect(blockSeconds(connection)).toBe(seconds);
  connection.disconnect();
});
