import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * Resolves with the URL of the Redis that all suites of this run share. The first caller starts it. A suite uses only
 * keys under a prefix of its own (`openRecordSpace` makes one), and never flushes, stops, freezes or reconfigures the
 * server. `startRedisServer` starts a server for that.
 */
export async function sharedRedis(): Promise<string> {
  const path = process.env['TEST_REDIS_BROKER'];
  if (path === undefined) throw new Error('TEST_REDIS_BROKER is not set: run this suite with jest.config.mjs');
  const url = await text(connect(path));
  if (url === '') throw new Error('the shared Redis did not start: its error is in the output of jest');
  return url;
}
