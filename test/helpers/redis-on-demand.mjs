import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TEST_BUILD } from '../../scripts/setup/build.mjs';

/** The compiled helper is used, because the loader of the tests does not run here. */
const REDIS_SERVER = pathToFileURL(join(TEST_BUILD.directory, 'test/helpers/redis-server.js')).href;

/**
 * @type {{ directory: string, broker: import('node:net').Server, redis?:
 * Promise<import('./redis-server.ts').RedisServer> } | undefined}
 */
let running;

/**
 * A client that connects to the socket that `TEST_REDIS_BROKER` names receives the URL of the
 * one Redis of this run, or with nothing if it cannot be started. The first connection starts it, so that a run that
 * needs none starts none.
 */
export async function openBroker() {
  const directory = mkdtempSync(join(tmpdir(), 'du-test-run-'));
  const path = join(directory, 'broker.sock');
  const broker = createServer((socket) => {
    socket.on('error', () => undefined);
    void startedUrl().then(
      (url) => socket.end(url),
      (error) => {
        console.error('the shared Redis of the tests did not start', error);
        socket.end();
      },
    );
  });
  running = { directory, broker };
  await new Promise((resolve) => broker.listen(path, () => resolve(undefined)));
  broker.unref();
  process.env['TEST_REDIS_BROKER'] = path;
}

async function startedUrl() {
  if (running === undefined) throw new Error('the run is over');
  running.redis ??= import(REDIS_SERVER).then(({ startRedisServer }) => startRedisServer());
  return (await running.redis).url;
}

/** Ends what `openBroker` and its callers have started. */
export async function closeBroker() {
  if (running === undefined) return;
  const { broker, directory, redis } = running;
  running = undefined;
  broker.close();
  await redis?.then(
    (server) => server.stop(),
    () => undefined,
  );
  rmSync(directory, { recursive: true, force: true });
}
